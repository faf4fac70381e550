using KvPareto.Cpu.Kernels;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Weights;

namespace KvPareto.Cpu.Tests.Kernels;

public sealed unsafe class LinearKernelTests : IDisposable
{
    // A chain of at most 256 fused steps and a few additions; each rounds by 2^-24 of a partial sum. Measured below 20 here.
    private const double SumTolerance = 64;

    // Of a group codes and x are summed apart, then multiplied by scale and zero point: some roundings more.
    private const double CodeTolerance = SumTolerance + 2;

    private readonly WorkerTeam _team = new(2);

    public static TheoryData<WeightFormat, int, int, int, bool> Shapes()
    {
        var data = new TheoryData<WeightFormat, int, int, int, bool>();
        foreach (var format in Enum.GetValues<WeightFormat>())
        {
            if (BlockShape.IsBlocks(format))
            {
                foreach (var (columns, outputs, bias) in new[] { (256, 33, true), (512, 2, false), (768, 130, true), (1536, 64, false) })
                    data.Add(format, columns, outputs, 0, bias);
                if (BlockShape.Of(format).Elements == 32) data.Add(format, 96, 31, 0, true);
                continue;
            }
            foreach (var (columns, outputs, group, bias) in new (int, int, int, bool)[]
            {
                (32, 64, 32, false), (96, 33, 32, true), (128, 2, 128, false), (576, 130, 64, true), (640, 96, 128, false),
                    (768, 40, 256, true), (1536, 100, 32, true), (100, 65, 0, true), (1, 7, 0, false), (259, 31, 0, false),
            })
                if (format.CodeBits() == 0 || group > 0) data.Add(format, columns, outputs, group, bias);
        }
        return data;
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Multiply_MatchesExactSums_AtAnyTokenCount(WeightFormat format, int columns, int outputs, int group, bool bias)
    {
        foreach (var rows in (int[])[1, 2, 5, 7, 8, 64])
        {
            using var linear = new LinearCase(format, rows, columns, outputs, group, bias, seed: rows);
            Assert.InRange(linear.Error(linear.Multiply(_team, Simd.Best)), 0, format.CodeBits() > 0 ? CodeTolerance : SumTolerance);
        }
    }

    [Theory]
    [InlineData(WeightFormat.BF16, 256)]
    [InlineData(WeightFormat.W4, 257)]
    [InlineData(WeightFormat.W8, 200)]
    [InlineData(WeightFormat.F16, 391)]
    public void Multiply_MatchesExactSums_OverManyRowBlocks(WeightFormat format, int rows)
    {
        using var linear = new LinearCase(format, rows, 320, 97, 64, bias: true);
        Assert.InRange(linear.Error(linear.Multiply(_team, Simd.Best)), 0, CodeTolerance);
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Multiply_GivesTheSameBits_AtEveryLevel(WeightFormat format, int columns, int outputs, int group, bool bias)
    {
        foreach (var rows in (int[])[1, 3, 13])
        {
            using var linear = new LinearCase(format, rows, columns, outputs, group, bias);
            var reference = Bits(linear.Multiply(_team, SimdLevel.Scalar));
            foreach (var level in Simd.Supported) Assert.Equal(reference, Bits(linear.Multiply(_team, level)));
        }
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Multiply_GivesTheSameBits_ForAnySplitOfTheRows(WeightFormat format, int columns, int outputs, int group, bool bias)
    {
        using var linear = new LinearCase(format, 41, columns, outputs, group, bias);
        var whole = linear.Multiply(_team, Simd.Best);
        // With 16 lanes by products of 1 to 8 rows: 13 are 7 and 6, 16 twice 8, the 9 that are left 5 and 4.
        foreach (var chunk in (int[])[1, 2, 3, 13, 16, 40])
            for (var first = 0; first < linear.Rows; first += chunk)
            {
                var rows = Math.Min(chunk, linear.Rows - first);
                Assert.Equal(Bits(whole.AsSpan(first * outputs, rows * outputs)), Bits(linear.Multiply(_team, Simd.Best, rows, first)));
            }
    }

    [Theory]
    [InlineData(WeightFormat.BF16)]
    [InlineData(WeightFormat.W4)]
    [InlineData(WeightFormat.Q50)]
    [InlineData(WeightFormat.W8)]
    public void Multiply_GivesTheSameBits_ForAnyNumberOfWorkers(WeightFormat format)
    {
        foreach (var rows in (int[])[1, 6, 200])
        {
            using var linear = new LinearCase(format, rows, 576, 1000, 64, bias: true);
            using var alone = new WorkerTeam(1);
            var reference = Bits(linear.Multiply(alone, Simd.Best));
            foreach (var workers in (int[])[2, 3, 8])
            {
                using var team = new WorkerTeam(workers);
                Assert.Equal(reference, Bits(linear.Multiply(team, Simd.Best)));
            }
        }
    }

    [Theory]
    [InlineData(WeightFormat.W4, WeightFormat.W4, WeightFormat.W4)]
    [InlineData(WeightFormat.W8, WeightFormat.BF16, WeightFormat.Q50)]
    [InlineData(WeightFormat.BF16, WeightFormat.W4, WeightFormat.F32)]
    [InlineData(WeightFormat.F16, WeightFormat.F16)]
    public void Multiply_GivesTheSameBits_TogetherAndAlone(params WeightFormat[] formats)
    {
        int[] outputs = [130, 33, 64];
        foreach (var rows in (int[])[1, 5, 40, 400])
        {
            LinearCase[] cases = [.. formats.Select((format, i) => new LinearCase(format, rows, 320, outputs[i], 64, bias: i == 1, seed: 1))];
            var alone = cases.Select(linear => Bits(linear.Multiply(_team, Simd.Best))).ToArray();
            foreach (var workers in (int[])[1, 2, 5])
            {
                using var team = new WorkerTeam(workers);
                Assert.Equal(alone, LinearCase.MultiplyTogether(cases, team).Select(y => Bits(y)));
            }
            foreach (var linear in cases) linear.Dispose();
        }
    }

    [Fact]
    public void Multiply_PassesInfinitiesAndNaNOn()
    {
        using var linear = new LinearCase(WeightFormat.F16, 3, 64, 64, 0, bias: false);
        var halves = (Half*)linear.Host.Data;
        (halves[64], halves[2 * 64 + 1], halves[40 * 64]) = (Half.PositiveInfinity, Half.NaN, Half.NegativeInfinity);
        using var weight = CpuWeight.Create(new MemoryLedger(), linear.Host);
        using var scratch = new LinearScratch(new MemoryLedger(), 2);
        float* x = stackalloc float[3 * 64], y = stackalloc float[3 * 64];
        new Span<float>(x, 3 * 64).Fill(1);
        foreach (var level in Simd.Supported)
            foreach (var rows in (int[])[1, 3])
            {
                LinearKernel.Multiply(_team, x, 64, rows, [new(weight, y, 64)], scratch, level);
                Assert.Equal((float.PositiveInfinity, float.NaN, float.NegativeInfinity), (y[1], y[2], y[40]));
                Assert.True(float.IsFinite(y[0]) && float.IsFinite(y[63]));
            }
    }

    [Fact]
    public void Multiply_RefusesAScratchThatIsTooSmall()
    {
        using var linear = new LinearCase(WeightFormat.F32, 1, 8, 40, 0, bias: false);
        using var scratch = new LinearScratch(new MemoryLedger(), 1);
        Assert.Throws<ArgumentException>(() => LinearKernel.Multiply(_team, null, 0, 1, [new(linear.Weight, null, 0)], scratch));
    }

    public void Dispose() => _team.Dispose();

    private static int[] Bits(ReadOnlySpan<float> values)
    {
        var bits = new int[values.Length];
        for (var i = 0; i < bits.Length; i++) bits[i] = BitConverter.SingleToInt32Bits(values[i]);
        return bits;
    }
}
