using KvPareto.Cpu;
using KvPareto.Engine.Quantization;

namespace KvPareto.Engine.Tests.Quantization;

public sealed unsafe class SearchTests
{
    private const int Columns = 128;
    private const int Rows = 16;

    [Theory]
    [InlineData(4, 32)]
    [InlineData(4, 128)]
    [InlineData(8, 64)]
    public void ClipSearch_TakesTheLimitThatChangesTheOutputLeast(int bits, int group)
    {
        var random = new Random(8);
        var inputs = Some(random, 400 * Columns);
        var scales = Array.ConvertAll(Some(random, Columns), value => 1 + MathF.Abs(value));
        var statistics = new InputStatistics(Columns, group);
        statistics.Add(inputs, 400);
        var before = Weights(random);
        var matrix = new LinearMatrix("layer", Rows, Columns, [.. before], null);
        using var backend = new CpuBackend();
        ClipSearch.Run(backend, matrix, statistics, scales, bits, group);

        var clipped = 0;
        for (var row = 0; row < Rows; row++)
            for (var first = 0; first < Columns; first += group)
            {
                var exact = before.AsSpan(row * Columns + first, group).ToArray();
                var kept = matrix.Values.AsSpan(row * Columns + first, group).ToArray();
                var best = Enumerable.Range(0, 10).Min(step => Loss(exact, Clamp(exact, step)));
                Assert.InRange(Loss(exact, kept), 0, best * 1.001 + 1e-9);
                Assert.Contains(Enumerable.Range(0, 10), step => Clamp(exact, step).AsSpan().SequenceEqual(kept));
                if (!kept.AsSpan().SequenceEqual(exact)) clipped++;

                double Loss(float[] w, float[] clamped)
                {
                    var quantized = new float[group];
                    fixed (float* p = clamped, q = quantized) AwqCodec.Reconstruct(p, group, bits, q);
                    var loss = 0.0;
                    for (var t = 0; t < 400; t++)
                    {
                        var change = 0.0;
                        for (var i = 0; i < group; i++)
                            change += (quantized[i] - w[i]) * inputs[t * Columns + first + i] / scales[first + i];
                        loss += change * change;
                    }
                    return loss;
                }
            }
        if (bits == 4) Assert.InRange(clipped, 1, Rows * Columns / group);
    }

    [Fact]
    public void ScaleSearch_TakesTheRatioOfTheSmallestLoss()
    {
        var random = new Random(9);
        var statistics = new InputStatistics(Columns, 32);
        statistics.Add(Some(random, 50 * Columns), 50);
        var layers = new[]
            { new LinearMatrix("a", Rows, Columns, Weights(random), null), new LinearMatrix("b", Rows, Columns, Weights(random), null) };
        var calls = 0;
        var (scales, choice) = ScaleSearch.Run("a, b", layers, statistics, new(QuantizeMethod.Awq, 4, 32), values =>
        {
            Assert.Equal(2, values.Count);
            return Math.Abs(calls++ - 7) + 0.5;
        });
        Assert.Equal((20, "a, b", 0.35f, 0.5, 7.5), (calls, choice.Inputs, choice.Ratio, choice.Loss, choice.LossAtZero));

        var expected = Enumerable.Range(0, Columns).Select(k =>
        {
            var importance = layers.Average(layer => Enumerable.Range(0, Rows).Average(row => Math.Abs(layer.Values[row * Columns + k])
                / (layer.Values.AsSpan(row * Columns + k / 32 * 32, 32).ToArray().Max(Math.Abs) + 1e-6)));
            return Math.Max(Math.Pow(statistics.Magnitudes[k], 0.35) / (Math.Pow(importance, 0.65) + 1e-4), 1e-4);
        }).ToArray();
        var norm = Math.Sqrt(expected.Max() * expected.Min());
        for (var k = 0; k < Columns; k++) Assert.Equal(expected[k] / norm, scales[k], 1e-4);
    }

    private static float[] Some(Random random, int count) =>
        [.. Enumerable.Range(0, count).Select(_ => (float)(random.NextDouble() * 2 - 1))];

    // Values of f16 with a few outliers.
    private static float[] Weights(Random random) =>
        [.. Enumerable.Range(0, Rows * Columns).Select(_ => (float)(Half)(Math.Pow(random.NextDouble() * 2 - 1, 5)))];

    private static float[] Clamp(float[] values, int step)
    {
        var limit = (float)(Half)(values.Max(MathF.Abs) * (1 - step * 0.05f));
        return Array.ConvertAll(values, value => Math.Clamp(value, -limit, limit));
    }
}
