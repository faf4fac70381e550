using KvPareto.Cpu.Kernels;
using KvPareto.Engine.Cache;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Weights;

namespace KvPareto.Benchmarks;

/// <summary>A linear layer of random weights with its input and output; several copies, so that no cache holds them all.</summary>
internal sealed unsafe class BenchmarkLayer : IDisposable
{
    private readonly MemoryLedger _ledger = new();
    private readonly WorkerTeam _team;
    private readonly int _rows;
    private readonly CpuWeight[] _weights;
    private readonly NativeBuffer _x; // [rows, K]
    private readonly NativeBuffer _y; // [rows, N]
    private readonly LinearScratch _scratch;

    public BenchmarkLayer(WorkerTeam team, WeightFormat format, int outputs, int columns, int rows, int groupSize, int copies)
    {
        (_team, _rows) = (team, rows);
        var random = new Random(1);
        var elements = (long)outputs * columns;
        using var data = new NativeBuffer(_ledger, MemoryCategory.Workspace, elements * 4);
        using var groups = new NativeBuffer(_ledger, MemoryCategory.Workspace, elements);
        for (long i = 0; i < elements; i++) Store(format, data, i, random.NextSingle() - 0.5f);
        for (long i = 0; groupSize > 0 && i < elements / groupSize; i++)
            groups.As<GroupMeta>()[i] = GroupCodec.Fit(random.NextSingle() - 1, random.NextSingle(), 4);
        var host = new HostWeight("benchmark", format, outputs, columns, data.As<byte>())
        { GroupSize = groupSize, Groups = groups.As<GroupMeta>() };
        _weights = [.. Enumerable.Range(0, copies).Select(_ => CpuWeight.Create(_ledger, host))];
        _x = new NativeBuffer(_ledger, MemoryCategory.Activations, (long)rows * columns * 4);
        for (long i = 0; i < (long)rows * columns; i++) _x.As<float>()[i] = random.NextSingle() - 0.5f;
        _y = new NativeBuffer(_ledger, MemoryCategory.Activations, (long)rows * outputs * 4);
        _scratch = new LinearScratch(_ledger, team.Count);
    }

    /// <summary>Bytes of all copies.</summary>
    public long ByteCount => _weights.Sum(w => w.ByteCount);

    /// <summary>Multiplies with each copy in turn.</summary>
    public void Multiply()
    {
        for (var copy = 0; copy < _weights.Length; copy++) MultiplyOne(copy);
    }

    /// <summary>Multiplies with one copy.</summary>
    public void MultiplyOne(int copy) => MultiplyOne(copy, Simd.Best);

    /// <summary>Multiplies with one copy at a vector width.</summary>
    public void MultiplyOne(int copy, SimdLevel level)
    {
        var weight = _weights[copy];
        LinearKernel.Multiply(
            _team, _x.As<float>(), weight.ColumnCount, _rows, [new(weight, _y.As<float>(), weight.RowCount)], _scratch, level);
    }

    public void Dispose()
    {
        foreach (var weight in _weights) weight.Dispose();
        _x.Dispose();
        _y.Dispose();
        _scratch.Dispose();
    }

    private static void Store(WeightFormat format, NativeBuffer data, long index, float value)
    {
        switch (format)
        {
            case WeightFormat.F32: data.As<float>()[index] = value; break;
            case WeightFormat.F16: data.As<Half>()[index] = (Half)value; break;
            case WeightFormat.BF16: data.As<ushort>()[index] = (ushort)(BitConverter.SingleToUInt32Bits(value) >> 16); break;
            default: data.As<byte>()[index / 2] = (byte)(value * 256); break;
        }
    }
}
