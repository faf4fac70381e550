using System.Buffers.Binary;
using KvPareto.Cpu.Kernels;
using KvPareto.Engine.Cache;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Weights;

namespace KvPareto.Cpu.Tests.Kernels;

/// <summary>A seeded x, w and b of one shape, w as the host has it and as f64 values, and y computed in f64.</summary>
internal sealed unsafe class LinearCase : IDisposable
{
    private const float Poison = -7777.25f;

    private readonly MemoryLedger _ledger = new();
    private readonly NativeBuffer _data;
    private readonly NativeBuffer _groups;
    private readonly float[] _x; // [rows, XStride]

    public LinearCase(WeightFormat format, int rows, int columns, int outputs, int groupSize, bool bias, int seed = 1)
    {
        var random = new Random(seed);
        (Rows, Columns, Outputs, XStride) = (rows, columns, outputs, columns + 3);
        _x = new float[rows * XStride];
        for (var i = 0; i < _x.Length; i++) _x[i] = (float)(random.NextDouble() * 2 - 1);
        Values = new double[outputs, columns];
        Bias = bias ? [.. Enumerable.Range(0, outputs).Select(_ => (float)(random.NextDouble() * 4 - 2))] : null;
        _data = new NativeBuffer(_ledger, MemoryCategory.Workspace, (long)outputs * columns * 4);
        _groups = new NativeBuffer(_ledger, MemoryCategory.Workspace, (long)outputs * columns * 4);
        if (format.CodeBits() is > 0 and var bits) FillCodes(random, groupSize, bits);
        else if (BlockShape.IsBlocks(format)) FillBlocks(random, format);
        else FillElements(random, format);
        Host = new HostWeight("test", format, outputs, columns, _data.As<byte>())
        {
            GroupSize = groupSize,
            Groups = format.CodeBits() > 0 ? _groups.As<GroupMeta>() : null,
            Bias = Bias,
        };
        Weight = CpuWeight.Create(_ledger, Host);
    }

    public int Rows { get; }

    public int Columns { get; }

    public int Outputs { get; }

    public int XStride { get; }

    public double[,] Values { get; } // [N, K]

    public float[]? Bias { get; }

    public HostWeight Host { get; }

    public CpuWeight Weight { get; }

    /// <summary>y [rows, N] by the kernels; asserts that what lies around it stays as it was.</summary>
    public float[] Multiply(WorkerTeam team, SimdLevel level, int rows = 0, int firstRow = 0) =>
        Multiply([this], team, level, rows, firstRow)[0];

    /// <summary>The same of several that have one x, together.</summary>
    public static float[][] MultiplyTogether(LinearCase[] cases, WorkerTeam team) => Multiply(cases, team, Simd.Best, 0, 0);

    private static float[][] Multiply(LinearCase[] cases, WorkerTeam team, SimdLevel level, int rows, int firstRow)
    {
        const int Guard = 64;
        var first = cases[0];
        if (rows == 0) rows = first.Rows;
        var strides = cases.Select(one => one.Outputs + 5).ToArray();
        var y = new float[Guard + strides.Sum(stride => rows * stride + Guard)];
        y.AsSpan().Fill(Poison);
        int Place(int i) => Guard + strides.Take(i).Sum(stride => rows * stride + Guard);
        using var scratch = new LinearScratch(first._ledger, team.Count);
        fixed (float* xp = first._x, yp = y)
        {
            var products = new LinearProduct[cases.Length];
            for (var i = 0; i < cases.Length; i++) products[i] = new(cases[i].Weight, yp + Place(i), strides[i]);
            LinearKernel.Multiply(team, xp + firstRow * first.XStride, first.XStride, rows, products, scratch, level);
        }
        var results = cases.Select(one => new float[rows * one.Outputs]).ToArray();
        for (var i = 0; i < cases.Length; i++)
            for (var t = 0; t < rows; t++)
            {
                var row = y.AsSpan(Place(i) + t * strides[i], cases[i].Outputs);
                row.CopyTo(results[i].AsSpan(t * cases[i].Outputs));
                row.Fill(Poison);
            }
        Assert.False(y.AsSpan().ContainsAnyExcept(Poison), "wrote outside of y");
        return results;
    }

    /// <summary>The largest |y − exact| in units of 2^-24·(Σ|x·w| + |b|).</summary>
    public double Error(float[] y)
    {
        var worst = 0.0;
        for (var t = 0; t < Rows; t++)
            for (var n = 0; n < Outputs; n++)
            {
                double exact = Bias?[n] ?? 0, size = Math.Abs(exact);
                for (var k = 0; k < Columns; k++)
                {
                    var product = _x[t * XStride + k] * Values[n, k];
                    exact += product;
                    size += Math.Abs(product);
                }
                worst = Math.Max(worst, Math.Abs(y[t * Outputs + n] - exact) / (Math.Max(size, float.Epsilon) * Math.Pow(2, -24)));
            }
        return worst;
    }

    public void Dispose()
    {
        Weight.Dispose();
        _data.Dispose();
        _groups.Dispose();
        Assert.Equal(0, _ledger.Live.Total);
    }

    private void FillElements(Random random, WeightFormat format)
    {
        for (var n = 0; n < Outputs; n++)
            for (var k = 0; k < Columns; k++)
            {
                var value = (float)((random.NextDouble() - 0.5) * Math.Pow(10, random.Next(-7, 2)));
                var at = n * Columns + k;
                switch (format)
                {
                    case WeightFormat.F32: _data.As<float>()[at] = value; break;
                    case WeightFormat.F16:
                        _data.As<Half>()[at] = (Half)value;
                        value = (float)(Half)value;
                        break;
                    default:
                        var bits = (ushort)(BitConverter.SingleToUInt32Bits(value) >> 16);
                        _data.As<ushort>()[at] = bits;
                        value = BitConverter.UInt32BitsToSingle((uint)bits << 16);
                        break;
                }
                Values[n, k] = value;
            }
    }

    // Every bit of every byte in play but for the exponents of f16 fields, which would make all sums infinite.
    private void FillBlocks(Random random, WeightFormat format)
    {
        var shape = BlockShape.Of(format);
        var row = new float[Columns];
        for (var n = 0; n < Outputs; n++)
        {
            var bytes = _data.As<byte>() + n * shape.RowBytes(Columns);
            var all = new Span<byte>(bytes, (int)shape.RowBytes(Columns));
            random.NextBytes(all);
            for (var at = 0; at < all.Length; at += shape.ByteCount)
                foreach (var half in HalfFields(format))
                    BinaryPrimitives.WriteHalfLittleEndian(
                        all[(at + half)..], (Half)((random.NextDouble() - 0.5) * Math.Pow(10, random.Next(-6, 0))));
            BlockCodec.Decode(format, bytes, row);
            for (var k = 0; k < Columns; k++) Values[n, k] = row[k];
        }
    }

    private static int[] HalfFields(WeightFormat format) => format switch
    {
        WeightFormat.Q6K => [208],
        WeightFormat.Q2K => [80, 82],
        WeightFormat.Q3K => [108],
        WeightFormat.Q41 or WeightFormat.Q51 or WeightFormat.Q4K or WeightFormat.Q5K => [0, 2],
        _ => [0],
    };

    // Ordinary groups, constant ones of either sign and zero, ones far from zero, and ones with a subnormal scale.
    private void FillCodes(Random random, int groupSize, int bits)
    {
        _data.Clear();
        var group = new float[groupSize];
        for (var n = 0; n < Outputs; n++)
            for (var g = 0; g < Columns / groupSize; g++)
            {
                var (centre, width) = random.Next(12) switch
                {
                    0 => (random.Next(-1, 2) * 0.37f, 0f),
                    1 => (100f, 0.05f),
                    2 => (0f, 1e-6f),
                    _ => ((float)random.NextDouble() * 0.02f, 0.1f),
                };
                for (var i = 0; i < groupSize; i++) group[i] = centre + width * (float)(random.NextDouble() * 2 - 1);
                var meta = GroupCodec.Fit(group.Min(), group.Max(), bits);
                _groups.As<GroupMeta>()[n * (Columns / groupSize) + g] = meta;
                for (var i = 0; i < groupSize; i++)
                {
                    var code = GroupCodec.Encode(group[i], meta, bits);
                    GroupCodec.Store(
                        new Span<byte>(_data.As<byte>() + n * (Columns * bits / 8), Columns * bits / 8), g * groupSize + i, code, bits);
                    Values[n, g * groupSize + i] = GroupCodec.Decode(code, meta);
                }
            }
    }
}
