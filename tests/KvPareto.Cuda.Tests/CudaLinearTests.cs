using System.Globalization;
using KvPareto.Engine.Cache;
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
        var values = Floats(random, Outputs * columns);
        var bias = Floats(random, Outputs);
        using var weight = Upload(backend, format, group, columns, values, bias);
        foreach (var (rows, type) in new[] { 1, 2, 3, 7, 8, 9, 40 }.SelectMany(rows => new[] { (rows, DType.F32), (rows, DType.BF16) }))
        {
            var (input, output) = (Floats(random, rows * columns), new float[rows * Outputs]);
            if (type == DType.BF16) input = Array.ConvertAll(input, value => BFloat16.ToSingle(BFloat16.FromSingle(value)));
            var (x, y) = (backend.Alloc(type, rows, columns), backend.Alloc(DType.F32, rows, Outputs));
            backend.Write(input, x);
            backend.Linear(x, weight, y);
            backend.Read(y, output);
            x.Buffer.Dispose();
            y.Buffer.Dispose();
            var error = Error(input, values, bias, output, rows, columns);
            var allowed = rows <= CudaLinear.FewRows || (format, type) == (WeightFormat.F32, DType.F32) ? FewTolerance : ManyTolerance;
            Assert.True(error < allowed, string.Create(CultureInfo.InvariantCulture, $"{rows} rows of {type}: {error:g3}"));
        }
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
        (WeightFormat Format, int Group)[] kinds = [(format, group), (format, group), (format, group), (WeightFormat.W4, 32), (format, group)];
        var weights = kinds.Select(kind => Upload(backend, kind.Format, kind.Group, Columns, Floats(random, Outputs * Columns), Floats(random, Outputs))).ToArray();
        foreach (var rows in new[] { 1, 5 })
        {
            var x = backend.Alloc(DType.BF16, rows, Columns);
            backend.Write(Floats(random, rows * Columns), x);
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

    // Replaces the values by what the format keeps of them.
    private static Weight Upload(CudaBackend backend, WeightFormat format, int group, int columns, float[] values, float[] bias)
    {
        var bits = format.CodeBits();
        var bytes = new byte[values.Length * 4];
        var groups = new GroupMeta[group == 0 ? 1 : values.Length / group];
        for (var i = 0; i < values.Length; i++)
        {
            if (format == WeightFormat.F32) BitConverter.TryWriteBytes(bytes.AsSpan(4 * i), values[i]);
            else if (format == WeightFormat.F16) BitConverter.TryWriteBytes(bytes.AsSpan(2 * i), (Half)values[i]);
            else if (format == WeightFormat.BF16) BitConverter.TryWriteBytes(bytes.AsSpan(2 * i), BFloat16.FromSingle(values[i]));
            else
            {
                if (i % group == 0) groups[i / group] = GroupCodec.Fit(values.AsSpan(i, group).ToArray().Min(), values.AsSpan(i, group).ToArray().Max(), bits);
                var code = GroupCodec.Encode(values[i], groups[i / group], bits);
                var stored = code - GroupCodec.MinCode(bits);
                bytes[i * bits / 8] |= (byte)(stored << i * bits % 8);
                values[i] = GroupCodec.Decode(code, groups[i / group]);
                continue;
            }
            values[i] = format == WeightFormat.F16 ? (float)(Half)values[i] : format == WeightFormat.BF16 ? BFloat16.ToSingle(BFloat16.FromSingle(values[i])) : values[i];
        }
        // A group's extremes are found before its first value is replaced, since its codes are made in order.
        fixed (byte* data = bytes)
        fixed (GroupMeta* entries = groups)
            return backend.Upload(new HostWeight("w", format, Outputs, columns, data) { GroupSize = group, Groups = entries, Bias = bias });
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

    private static float[] Floats(Random random, int count) => [.. Enumerable.Range(0, count).Select(_ => (float)(random.NextDouble() * 2 - 1))];
}
