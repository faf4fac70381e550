using System.Globalization;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Weights;

namespace KvPareto.Cuda.Tests;

/// <summary>A sum whose norm comes next, and products of that norm: of one kernel's preparation where there is one (linear_many.cu),
/// beside sums in f64.</summary>
[Trait("Category", "GPU")]
public sealed class NormsBetweenProductsTests
{
    private const double Tolerance = 6e-3; // of the norm: results in bf16, or inputs rounded to it
    private const float Epsilon = 1e-5f;
    private const int Samples = 2000;

    public static TheoryData<WeightFormat, int, int, int, int> Shapes() => new()
    {
        // format, group, columns of the first product, its outputs, rows
        { WeightFormat.W4, 128, 4096, 2048, 256 },
        { WeightFormat.W4, 64, 2048, 576, 200 },   // narrow tiles, a last block of half the outputs
        { WeightFormat.W4, 128, 4096, 1024, 129 }, // narrow tiles of one row
        { WeightFormat.W4, 32, 1024, 128, 9 },
        { WeightFormat.W8, 64, 3136, 768, 250 },
        { WeightFormat.W8, 128, 4096, 512, 300 },  // more rows than are prepared
        { WeightFormat.W4, 128, 512, 640, 100 },   // no shares
        { WeightFormat.BF16, 0, 2048, 1024, 200 },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public unsafe void Results_AreProductsOfTheNorm(WeightFormat format, int group, int columns, int hidden, int rows)
    {
        if (CudaDevice.List().Count == 0) Assert.Skip("needs a CUDA device");
        const int Outputs = 192;
        using var backend = new CudaBackend();
        var random = new Random(hidden + columns);
        float[] first = TestWeights.Floats(random, hidden * columns), bias = TestWeights.Floats(random, hidden);
        var before = TestWeights.Upload(backend, format, group, columns, first, bias);
        var nextGroup = group == 0 ? 0 : Math.Min(group, 64);
        float[][] values = [.. Enumerable.Range(0, 3).Select(_ => TestWeights.Floats(random, Outputs * hidden))];
        float[][] biases = [.. values.Select(_ => TestWeights.Floats(random, Outputs))];
        Weight[] after = [.. values.Zip(biases, (value, its) => TestWeights.Upload(backend, format, nextGroup, hidden, value, its))];
        var gains = Array.ConvertAll(TestWeights.Floats(random, hidden), value => 1 + value / 2);
        using var gain = Gain(backend, gains);
        var (x, y) = (backend.Alloc(DType.BF16, rows, columns), backend.Alloc(DType.BF16, rows, hidden));
        var sum = backend.Alloc(DType.F32, rows, hidden);
        Tensor[] ys = [.. after.Select(_ => backend.Alloc(DType.BF16, rows, Outputs))];
        var start = TestWeights.Floats(random, rows * hidden);
        backend.Write(TestWeights.Floats(random, rows * columns), x);

        float[] Run(Action then, params Tensor[] results)
        {
            backend.Write(start, sum);
            foreach (var result in results) backend.Write(Enumerable.Repeat(float.NaN, rows * Outputs).ToArray(), result);
            backend.LinearAdd(x, before, y, sum, gain);
            then();
            return [.. results.SelectMany(result => Read(backend, result))];
        }

        void Products() => backend.NormLinear(sum, gain, Epsilon, y, after, ys);
        var products = Run(Products, ys);
        Check(products, 3, (which, row, output) => Sum(which, row, output));
        Assert.Equal(products, Run(Products, ys));
        Check(Run(() => backend.NormGated(sum, gain, Epsilon, y, after[1], after[0], ys[0], ys[1]), ys[0]), 1,
            (_, row, output) => Silu(Sum(1, row, output)) * Sum(0, row, output));
        // What changes the sum in between takes what was prepared with it.
        Check(Run(
            () =>
            {
                backend.Write(start, sum);
                Products();
            }, ys), 3, (which, row, output) => Sum(which, row, output));
        foreach (var weight in after.Append(before)) weight.Dispose();

        double Sum(int which, int row, int output)
        {
            var total = (double)biases[which][output];
            for (var k = 0; k < hidden; k++) total += Normed[row * hidden + k] * values[which][output * hidden + k];
            return total;
        }

        void Check(float[] actual, int count, Func<int, int, int, double> expected)
        {
            // The sums are checked where they are made (ManyProductsTests).
            var stream = Read(backend, sum);
            Normed = new double[stream.Length];
            for (var row = 0; row < rows; row++)
            {
                var square = 0.0;
                for (var k = 0; k < hidden; k++) square += Math.Pow(stream[row * hidden + k], 2);
                for (var k = 0; k < hidden; k++)
                    Normed[row * hidden + k] = stream[row * hidden + k] * gains[k] / Math.Sqrt(square / hidden + Epsilon);
            }
            Assert.DoesNotContain(actual, float.IsNaN);
            var (difference, norm) = (0.0, 0.0);
            for (var i = 0; i < Samples; i++)
            {
                // The last row and the last output are among them.
                var (row, output) = (i % 8 == 0 ? rows - 1 : random.Next(rows), i % 8 == 1 ? Outputs - 1 : random.Next(Outputs));
                var value = expected(i % count, row, output);
                difference += Math.Pow(value - actual[(i % count * rows + row) * Outputs + output], 2);
                norm += value * value;
            }
            var error = Math.Sqrt(difference / norm);
            Assert.True(error < Tolerance, string.Create(CultureInfo.InvariantCulture, $"{error:g3}"));
        }
    }

    private double[] Normed { get; set; } = [];

    private static unsafe Weight Gain(CudaBackend backend, float[] gains)
    {
        fixed (float* data = gains) return backend.Upload(new HostWeight("gain", WeightFormat.F32, 1, gains.Length, data));
    }

    private static float[] Read(CudaBackend backend, Tensor x)
    {
        var result = new float[x.RowCount * x.ColumnCount];
        backend.Read(x, result);
        return result;
    }

    private static double Silu(double x) => x / (1 + Math.Exp(-x));
}
