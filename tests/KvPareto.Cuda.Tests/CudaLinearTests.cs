using System.Globalization;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Weights;

namespace KvPareto.Cuda.Tests;

/// <summary>Linear layers of every stored format, few rows and many, against sums in f64 over the weights as they are decoded.</summary>
[Trait("Category", "GPU")]
public unsafe class CudaLinearTests
{
    private const int Outputs = 67;

    // Few rows are multiplied in f32 or in two bf16 numbers for each of f32, and bf16 inputs exactly; more rows go through bf16.
    private const double FewTolerance = 1e-5;
    private const double ManyTolerance = 6e-3;

    public static TheoryData<WeightFormat, int, int> Formats() => new()
    {
        { WeightFormat.F32, 0, 576 },
        { WeightFormat.F16, 0, 576 },
        { WeightFormat.BF16, 0, 577 },
        { WeightFormat.BF16, 0, 1032 },
        { WeightFormat.W4, 32, 96 },
        { WeightFormat.W4, 64, 576 },
        { WeightFormat.W4, 128, 2176 },
        { WeightFormat.W8, 32, 96 },
        { WeightFormat.W4, 192, 1536 },
        { WeightFormat.W4, 128, 128 },
        { WeightFormat.W4, 16, 48 },
        { WeightFormat.W8, 64, 1088 },
        { WeightFormat.W8, 128, 4096 },
        { WeightFormat.W4, 256, 8448 },
        { WeightFormat.W4, 64, 8320 },
        { WeightFormat.W8, 32, 8256 },
        { WeightFormat.BF16, 0, 4096 },
        { WeightFormat.BF16, 0, 32 },
    };

    [Theory]
    [MemberData(nameof(Formats))]
    public void Multiply_IsTheSumOverDecodedWeights(WeightFormat format, int group, int columns)
    {
        if (CudaDevice.List().Count == 0) Assert.Skip("needs a CUDA device");
        using var backend = new CudaBackend();
        var random = new Random(columns + group);
        var values = TestWeights.Floats(random, Outputs * columns);
        var bias = TestWeights.Floats(random, Outputs);
        using var weight = TestWeights.Upload(backend, format, group, columns, values, bias);
        foreach (var (rows, type) in new[] { 1, 2, 3, 7, 8, 9, 40 }.SelectMany(rows => new[] { (rows, DType.F32), (rows, DType.BF16) }))
        {
            var (input, output) = (TestWeights.Floats(random, rows * columns), new float[rows * Outputs]);
            if (type == DType.BF16) input = Array.ConvertAll(input, value => BFloat16.ToSingle(BFloat16.FromSingle(value)));
            var (x, y) = (backend.Alloc(type, rows, columns), backend.Alloc(DType.F32, rows, Outputs));
            backend.Write(input, x);
            backend.Linear(x, weight, y);
            backend.Read(y, output);
            x.Buffer.Dispose();
            y.Buffer.Dispose();
            var error = Error(input, values, bias, output, rows, columns);
            var allowed = rows <= FewKernel.MostRows || (format, type) == (WeightFormat.F32, DType.F32) ? FewTolerance : ManyTolerance;
            Assert.True(error < allowed, string.Create(CultureInfo.InvariantCulture, $"{rows} rows of {type}: {error:g3}"));
        }
    }

    /// <summary>A norm before, a gated pair, a sum after: against f64 too, for hidden rows of both types.</summary>
    [Theory]
    [MemberData(nameof(Formats))]
    public void Fusions_AreTheirOps(WeightFormat format, int group, int columns)
    {
        if (CudaDevice.List().Count == 0) Assert.Skip("needs a CUDA device");
        using var backend = new CudaBackend();
        var random = new Random(columns + group);
        var (first, second, bias, gain) =
            (TestWeights.Floats(random, Outputs * columns), TestWeights.Floats(random, Outputs * columns),
                TestWeights.Floats(random, Outputs), TestWeights.Floats(random, columns));
        using var gate = TestWeights.Upload(backend, format, group, columns, first, bias);
        using var up = TestWeights.Upload(backend, format, group, columns, second, bias);
        fixed (float* data = gain)
        {
            using var norm = backend.Upload(new HostWeight("gain", WeightFormat.F32, 1, columns, data));
            foreach (var (rows, type) in new[] { 1, 2, 3, 8, 40 }.SelectMany(rows => new[] { (rows, DType.F32), (rows, DType.BF16) }))
            {
                var (input, before) = (TestWeights.Floats(random, rows * columns), TestWeights.Floats(random, rows * Outputs));
                var (x, h) = (backend.Alloc(DType.F32, rows, columns), backend.Alloc(type, rows, columns));
                var ys = Enumerable.Range(0, 3).Select(_ => backend.Alloc(DType.F32, rows, Outputs)).ToArray();
                var (a, b, c) = (new float[rows * Outputs], new float[rows * Outputs], new float[rows * Outputs]);
                backend.Write(input, x);
                backend.NormLinear(x, norm, 1e-5f, h, [gate, up], [ys[0], ys[1]]);
                backend.Read(ys[0], a);
                backend.Read(ys[1], b);
                var normed = Normed(input, gain, rows, columns);
                var isExact = (rows <= FewKernel.MostRows && type == DType.F32) || (format == WeightFormat.F32 && type == DType.F32);
                var allowed = isExact ? FewTolerance : ManyTolerance;
                void Check(double error, string what) =>
                    Assert.True(error < allowed, string.Create(CultureInfo.InvariantCulture, $"{what}, {rows} rows of {type}: {error:g3}"));
                Check(Error(normed, first, bias, a, rows, columns), "gate");
                Check(Error(normed, second, bias, b, rows, columns), "up");

                backend.NormGated(x, norm, 1e-5f, h, gate, up, ys[0], ys[1]);
                backend.Read(ys[0], c);
                Check(RelativeError.Of([.. a.Zip(b, (g, u) => g / (1 + Math.Exp(-g)) * u)], c) / 4, "gated");

                var rounded = backend.Alloc(type, rows, columns);
                backend.Write(input, rounded);
                backend.Linear(rounded, gate, ys[0]);
                backend.Read(ys[0], a);
                backend.Write(before, ys[2]);
                backend.LinearAdd(rounded, gate, ys[1], ys[2]);
                backend.Read(ys[2], c);
                Check(RelativeError.Of([.. a.Zip(before, (sum, value) => (double)sum + value)], c), "added");
                foreach (var tensor in ys.Append(x).Append(h).Append(rounded)) tensor.Buffer.Dispose();
            }
        }
    }

    /// <summary>Coded weights whose results lie side by side are unpacked and multiplied as one.</summary>
    [Theory]
    [InlineData(WeightFormat.W4, 128)]
    [InlineData(WeightFormat.W8, 64)]
    [InlineData(WeightFormat.F16, 0)]
    public void NeighboursOfManyRows_AreEachByItself(WeightFormat format, int group)
    {
        if (CudaDevice.List().Count == 0) Assert.Skip("needs a CUDA device");
        const int Columns = 1024, Rows = 40, Count = 3;
        using var backend = new CudaBackend();
        var random = new Random(5);
        var values = Enumerable.Range(0, Count).Select(_ => TestWeights.Floats(random, Outputs * Columns)).ToArray();
        var bias = TestWeights.Floats(random, Outputs);
        var weights = values.Select(value => TestWeights.Upload(backend, format, group, Columns, value, bias)).ToArray();
        var input = Array.ConvertAll(TestWeights.Floats(random, Rows * Columns), value => BFloat16.ToSingle(BFloat16.FromSingle(value)));
        foreach (var type in new[] { DType.BF16, DType.F32 })
        {
            var (x, y) = (backend.Alloc(type, Rows, Columns), backend.Alloc(DType.F32, Rows, Count * Outputs));
            var output = new float[Rows * Outputs];
            backend.Write(input, x);
            backend.Linear(x, weights, Enumerable.Range(0, Count).Select(i => y.Columns(i * Outputs, Outputs)).ToArray());
            for (var i = 0; i < Count; i++)
            {
                backend.Read(y.Columns(i * Outputs, Outputs), output);
                Assert.True(Error(input, values[i], bias, output, Rows, Columns) < ManyTolerance);
            }
            x.Buffer.Dispose();
            y.Buffer.Dispose();
        }
        foreach (var weight in weights) weight.Dispose();
    }

    /// <summary>What is no number makes its row's results none, and no others.</summary>
    [Theory]
    [InlineData(WeightFormat.BF16, 0, float.NaN)]
    [InlineData(WeightFormat.W4, 128, float.NaN)]
    [InlineData(WeightFormat.W4, 128, float.PositiveInfinity)]
    [InlineData(WeightFormat.W8, 64, float.NegativeInfinity)]
    public void NotANumber_StaysInItsRow(WeightFormat format, int group, float value)
    {
        if (CudaDevice.List().Count == 0) Assert.Skip("needs a CUDA device");
        const int Columns = 512, Rows = 3;
        using var backend = new CudaBackend();
        var random = new Random(3);
        using var weight =
            TestWeights.Upload(
            backend, format, group, Columns, TestWeights.Floats(random, Outputs * Columns), TestWeights.Floats(random, Outputs));
        var (input, output) = (TestWeights.Floats(random, Rows * Columns), new float[Rows * Outputs]);
        input[Columns + 200] = value;
        var (x, y) = (backend.Alloc(DType.F32, Rows, Columns), backend.Alloc(DType.F32, Rows, Outputs));
        backend.Write(input, x);
        backend.Linear(x, weight, y);
        backend.Read(y, output);
        for (var i = 0; i < output.Length; i++) Assert.Equal(i / Outputs != 1, float.IsFinite(output[i]));
        x.Buffer.Dispose();
        y.Buffer.Dispose();
    }

    /// <summary>A row is the same among others as alone, where many rows take several passes too, and from run to run.</summary>
    [Theory]
    [InlineData(WeightFormat.BF16, 0)]
    [InlineData(WeightFormat.W4, 128)]
    [InlineData(WeightFormat.W8, 128)]
    public void Rows_DoNotDependOnOthers(WeightFormat format, int group)
    {
        if (CudaDevice.List().Count == 0) Assert.Skip("needs a CUDA device");
        const int Columns = 14_336, Rows = 8;
        using var backend = new CudaBackend();
        var random = new Random(9);
        using var weight =
            TestWeights.Upload(
            backend, format, group, Columns, TestWeights.Floats(random, Outputs * Columns), TestWeights.Floats(random, Outputs));
        var (x, y) = (backend.Alloc(DType.BF16, Rows, Columns), backend.Alloc(DType.F32, Rows, Outputs));
        backend.Write(TestWeights.Floats(random, Rows * Columns), x);
        var (together, alone) = (new float[Rows * Outputs], new float[Outputs]);
        backend.Linear(x, weight, y);
        backend.Read(y, together);
        for (var row = 0; row < Rows; row++)
        {
            backend.Linear(x.Rows(row, 1), weight, y.Rows(0, 1));
            backend.Read(y.Rows(0, 1), alone);
            Assert.Equal(together.AsSpan(row * Outputs, Outputs).ToArray(), alone);
        }
        x.Buffer.Dispose();
        y.Buffer.Dispose();
    }

    [Fact]
    public void Scratch_IsWhatTheLargestLiveWeightNeeds()
    {
        if (CudaDevice.List().Count == 0) Assert.Skip("needs a CUDA device");
        using var backend = new CudaBackend();
        var random = new Random(1);
        Weight Make(int columns) =>
            TestWeights.Upload(
                backend, WeightFormat.BF16, 0, columns, TestWeights.Floats(random, Outputs * columns), TestWeights.Floats(random, Outputs));
        long Needed(int columns) => ProductLayout.Of(CudaWeight.StoredKind.BF16, Outputs, columns).ByteCount;
        Assert.Equal(0, backend.Memory.Live.Workspace);
        var (small, large) = (Make(64), Make(640));
        Assert.Equal(Needed(640), backend.Memory.Live.Workspace);
        large.Dispose();
        Assert.Equal(Needed(64), backend.Memory.Live.Workspace);
        small.Dispose();
        Assert.Equal(0, backend.Memory.Live.Workspace);
    }

    /// <summary>Up to three weights go in one launch; the others, and those of another kind, in further ones.</summary>
    [Theory]
    [InlineData(WeightFormat.BF16, 0)]
    [InlineData(WeightFormat.W4, 128)]
    [InlineData(WeightFormat.W8, 64)]
    public void MultiplyOfSeveral_IsEachByItself(WeightFormat format, int group)
    {
        if (CudaDevice.List().Count == 0) Assert.Skip("needs a CUDA device");
        const int Columns = 1024;
        using var backend = new CudaBackend();
        var random = new Random(7);
        (WeightFormat Format, int Group)[] kinds =
            [(format, group), (format, group), (format, group), (WeightFormat.W4, 32), (format, group)];
        var weights =
            kinds.Select(
            kind => TestWeights.Upload(
                backend, kind.Format, kind.Group, Columns, TestWeights.Floats(random, Outputs * Columns),
                    TestWeights.Floats(random, Outputs)))
                .ToArray();
        foreach (var rows in new[] { 1, 5 })
        {
            var x = backend.Alloc(DType.BF16, rows, Columns);
            backend.Write(TestWeights.Floats(random, rows * Columns), x);
            var ys = weights.Select(_ => backend.Alloc(DType.F32, rows, Outputs)).ToArray();
            var apart = backend.Alloc(DType.F32, rows, Outputs);
            var (expected, actual) = (new float[rows * Outputs], new float[rows * Outputs]);
            backend.Linear(x, weights, ys);
            for (var i = 0; i < weights.Length; i++)
            {
                backend.Linear(x, weights[i], apart);
                backend.Read(apart, expected);
                backend.Read(ys[i], actual);
                Assert.Equal(expected, actual);
            }
            foreach (var tensor in ys.Append(apart).Append(x)) tensor.Buffer.Dispose();
        }
        foreach (var weight in weights) weight.Dispose();
    }

    /// <summary>Launches begin before those ahead of them have ended: products that need each other are as with waits between.</summary>
    [Theory]
    [InlineData(WeightFormat.BF16, 0, 1)]
    [InlineData(WeightFormat.BF16, 0, 5)]
    [InlineData(WeightFormat.W4, 128, 1)]
    [InlineData(WeightFormat.W4, 128, 3)]
    [InlineData(WeightFormat.W8, 64, 1)]
    public void DependentProducts_AreEachByItself(WeightFormat format, int group, int rows)
    {
        if (CudaDevice.List().Count == 0) Assert.Skip("needs a CUDA device");
        const int Hidden = 1024, Forward = 2816, Times = 20;
        using var backend = new CudaBackend();
        var random = new Random(11);
        Weight Make(int inputs, int outputs) => TestWeights.Upload(
            backend, format, group, inputs, Array.ConvertAll(TestWeights.Floats(random, outputs * inputs), value => value / 16),
            TestWeights.Floats(random, outputs));
        using var o = Make(Hidden, Hidden);
        using var gate = Make(Hidden, Forward);
        using var up = Make(Hidden, Forward);
        using var down = Make(Forward, Hidden);
        var (start, attended) = (TestWeights.Floats(random, rows * Hidden), TestWeights.Floats(random, rows * Hidden));
        fixed (float* data = TestWeights.Floats(random, Hidden))
        {
            using var gain = backend.Upload(new HostWeight("gain", WeightFormat.F32, 1, Hidden, data));
            var (x, h, q, k) = (backend.Alloc(DType.F32, rows, Hidden), backend.Alloc(DType.BF16, rows, Hidden),
                backend.Alloc(DType.BF16, rows, Hidden), backend.Alloc(DType.BF16, rows, Hidden));
            var (g, u) = (backend.Alloc(DType.BF16, rows, Forward), backend.Alloc(DType.BF16, rows, Forward));
            float[] Result(Action after)
            {
                var results = new float[2 * rows * Hidden];
                backend.Write(start, x);
                backend.Write(attended, q);
                for (var layer = 0; layer < 2; layer++)
                {
                    backend.LinearAdd(q, o, h, x);
                    after();
                    backend.NormGated(x, gain, 1e-5f, h, gate, up, g, u);
                    after();
                    backend.LinearAdd(g, down, h, x);
                    after();
                    backend.NormLinear(x, gain, 1e-5f, h, [o, o], [q, k]);
                    after();
                }
                backend.Read(x, results.AsSpan(0, rows * Hidden));
                backend.Read(k, results.AsSpan(rows * Hidden));
                return results;
            }
            var apart = Result(backend.Synchronize);
            Assert.All(apart, value => Assert.True(float.IsFinite(value)));
            for (var i = 0; i < Times; i++) Assert.Equal(apart, Result(() => { }));
            foreach (var tensor in new[] { x, h, q, k, g, u }) tensor.Buffer.Dispose();
        }
    }

    private static double Error(float[] input, float[] values, float[] bias, float[] output, int rows, int columns)
    {
        var (difference, norm) = (0.0, 0.0);
        for (var t = 0; t < rows; t++)
        {
            for (var n = 0; n < Outputs; n++)
            {
                var sum = (double)bias[n];
                for (var k = 0; k < columns; k++) sum += (double)input[t * columns + k] * values[n * columns + k];
                difference += Math.Pow(sum - output[t * Outputs + n], 2);
                norm += sum * sum;
            }
        }
        return Math.Sqrt(difference / norm);
    }

    private static float[] Normed(float[] input, float[] gain, int rows, int columns)
    {
        var normed = new float[input.Length];
        for (var t = 0; t < rows; t++)
        {
            var mean = input.AsSpan(t * columns, columns).ToArray().Average(value => (double)value * value);
            for (var k = 0; k < columns; k++) normed[t * columns + k] = (float)(input[t * columns + k] / Math.Sqrt(mean + 1e-5) * gain[k]);
        }
        return normed;
    }
}
