using System.Globalization;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Weights;

namespace KvPareto.Cuda.Tests;

/// <summary>Products of many rows straight from weights as they are stored (linear_many.cu), in all the ways in which tiles are shared
/// out, beside sums in f64. On devices without its instructions the library's products stand the same test.</summary>
[Trait("Category", "GPU")]
public sealed class ManyProductsTests
{
    private const double Tolerance = 6e-3; // of the norm: results in bf16, or weights rounded to it
    private const int Samples = 3000;

    public static TheoryData<WeightFormat, int, int, int, int> Shapes() => new()
    {
        // format, group, outputs, columns, rows
        { WeightFormat.BF16, 0, 16, 64, 9 },
        { WeightFormat.BF16, 0, 272, 200, 130 },
        { WeightFormat.BF16, 0, 384, 2048, 300 },   // shares of narrow tiles
        { WeightFormat.BF16, 0, 1024, 2048, 200 },  // of wide ones, and the last weight's of narrow ones
        { WeightFormat.BF16, 0, 4096, 512, 1300 },  // evenly shared steps
        { WeightFormat.BF16, 0, 16, 72, 20_000 },   // whole tiles
        { WeightFormat.W4, 32, 48, 96, 10 },
        { WeightFormat.W4, 64, 400, 1088, 256 },
        { WeightFormat.W4, 96, 144, 2112, 257 },
        { WeightFormat.W4, 128, 4096, 512, 1300 },
        { WeightFormat.W4, 128, 256, 4096, 128 },
        { WeightFormat.W4, 64, 640, 4160, 250 },    // seven shares of wide tiles, eight of narrow ones
        { WeightFormat.W4, 192, 32, 192, 18_000 },
        { WeightFormat.W4, 128, 1024, 4224, 200 },  // five shares of three weights, eight of one
        { WeightFormat.W4, 64, 2064, 1088, 130 },   // two shares, gated pairs too
        { WeightFormat.BF16, 0, 2064, 1088, 70 },
        { WeightFormat.W8, 32, 80, 96, 40 },
        { WeightFormat.W8, 64, 528, 3136, 200 },
        { WeightFormat.W8, 128, 4096, 512, 1300 },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Results_AreSumsOverDecodedWeights(WeightFormat format, int group, int outputs, int columns, int rows)
    {
        if (CudaDevice.List().Count == 0) Assert.Skip("needs a CUDA device");
        using var backend = new CudaBackend();
        var random = new Random(outputs + columns);
        float[][] values = [.. Enumerable.Range(0, 4).Select(_ => TestWeights.Floats(random, outputs * columns))];
        float[][] biases = [.. values.Select(_ => TestWeights.Floats(random, outputs))];
        Weight[] weights = [.. values.Zip(biases, (value, bias) => TestWeights.Upload(backend, format, group, columns, value, bias))];
        var input = Array.ConvertAll(TestWeights.Floats(random, rows * columns), value => BFloat16.ToSingle(BFloat16.FromSingle(value)));
        var x = backend.Alloc(DType.BF16, rows, columns);
        backend.Write(input, x);
        double Sum(int which, int token, int output)
        {
            var sum = (double)biases[which][output];
            for (var k = 0; k < columns; k++) sum += (double)input[token * columns + k] * values[which][output * columns + k];
            return sum;
        }
        foreach (var type in new[] { DType.F32, DType.BF16 })
        {
            Tensor[] ys = [.. weights.Select(_ => backend.Alloc(type, rows, outputs))];
            foreach (var y in ys) backend.Write(Enumerable.Repeat(float.NaN, rows * outputs).ToArray(), y);
            backend.Linear(x, weights, ys);
            for (var i = 0; i < weights.Length; i++) Check($"{i} as {type}", ys[i], (token, output) => Sum(i, token, output));
            var first = Read(ys[0]);
            backend.Linear(x, weights, ys);
            Assert.Equal(first, Read(ys[0]));
            foreach (var y in ys) y.Buffer.Dispose();
        }

        var before = TestWeights.Floats(random, rows * outputs);
        var (sums, spare) = (backend.Alloc(DType.F32, rows, outputs), backend.Alloc(DType.BF16, rows, outputs));
        backend.Write(before, sums);
        backend.LinearAdd(x, weights[0], spare, sums);
        Check("added", sums, (token, output) => before[token * outputs + output] + Sum(0, token, output));

        // A norm that changes nothing but the type: rows whose mean square is one.
        var ones = Enumerable.Repeat(1f, columns).ToArray();
        for (var token = 0; token < rows; token++)
        {
            var row = input.AsSpan(token * columns, columns);
            for (var k = 0; k < columns; k++) row[k] = row[k] < 0 ? -1 : 1;
        }
        var stream = backend.Alloc(DType.F32, rows, columns);
        backend.Write(input, stream);
        unsafe
        {
            fixed (float* data = ones)
            {
                using var gain = backend.Upload(new HostWeight("gain", WeightFormat.F32, 1, columns, data));
                foreach (var (gate, up) in new[] { (0, 1), (1, 0) })
                {
                    backend.NormGated(stream, gain, 0, x, weights[gate], weights[up], spare, backend.Alloc(DType.BF16, rows, outputs));
                    Check($"gated {gate}", spare, (token, output) => Silu(Sum(gate, token, output)) * Sum(up, token, output));
                }
            }
        }
        foreach (var weight in weights) weight.Dispose();

        void Check(string what, Tensor y, Func<int, int, double> expected)
        {
            var actual = Read(y);
            Assert.DoesNotContain(actual, float.IsNaN);
            var (difference, norm) = (0.0, 0.0);
            for (var i = 0; i < Samples; i++)
            {
                // The last row and the last output are among them.
                var (token, output) = (i % 8 == 0 ? rows - 1 : random.Next(rows), i % 8 == 1 ? outputs - 1 : random.Next(outputs));
                var sum = expected(token, output);
                difference += Math.Pow(sum - actual[token * outputs + output], 2);
                norm += sum * sum;
            }
            var error = Math.Sqrt(difference / norm);
            Assert.True(error < Tolerance, string.Create(CultureInfo.InvariantCulture, $"{what}: {error:g3}"));
        }

        float[] Read(Tensor y)
        {
            var result = new float[rows * outputs];
            backend.Read(y, result);
            return result;
        }
    }

    /// <summary>What is no number makes its row's results none, and no others.</summary>
    [Theory]
    [InlineData(WeightFormat.BF16, 0)]
    [InlineData(WeightFormat.W4, 128)]
    [InlineData(WeightFormat.W8, 64)]
    public void NotANumber_StaysInItsRow(WeightFormat format, int group)
    {
        if (CudaDevice.List().Count == 0) Assert.Skip("needs a CUDA device");
        const int Outputs = 48, Columns = 1024, Rows = 150, Marked = 77;
        using var backend = new CudaBackend();
        var random = new Random(3);
        Weight[] weights = [.. Enumerable.Range(0, 2).Select(_ => TestWeights.Upload(
            backend, format, group, Columns, TestWeights.Floats(random, Outputs * Columns), TestWeights.Floats(random, Outputs)))];
        var (input, output) = (TestWeights.Floats(random, Rows * Columns), new float[Rows * Outputs]);
        input[Marked * Columns + 200] = float.NaN;
        var x = backend.Alloc(DType.BF16, Rows, Columns);
        Tensor[] ys = [.. weights.Select(_ => backend.Alloc(DType.F32, Rows, Outputs))];
        backend.Write(input, x);
        backend.Linear(x, weights, ys);
        foreach (var y in ys)
        {
            backend.Read(y, output);
            for (var i = 0; i < output.Length; i++) Assert.Equal(i / Outputs != Marked, float.IsFinite(output[i]));
        }
        foreach (var weight in weights) weight.Dispose();
    }

    private static double Silu(double x) => x / (1 + Math.Exp(-x));
}
