using System.Numerics.Tensors;
using KvPareto.Cpu.Attention;
using KvPareto.Cpu.Kernels;
using KvPareto.Cpu.Storage;
using KvPareto.Engine.Cache;
using KvPareto.Engine.Rotary;
using KvPareto.Engine.Seam;
using Tensor = KvPareto.Engine.Seam.Tensor;

namespace KvPareto.Cpu;

/// <summary>The seam on the host's processor: f32 activations, native memory through one counting allocator, all cores.</summary>
public sealed unsafe class CpuBackend : Backend
{
    // Below this many elements a row-wise op costs less than waking the other workers.
    private const int ParallelElements = 16384;

    private readonly WorkerTeam _team;
    private readonly LinearScratch _scratch;

    /// <summary>A backend on <paramref name="workers"/> threads.</summary>
    /// <param name="workers">Threads; null for one a processor. Results do not depend on it.</param>
    public CpuBackend(int? workers = null)
    {
        _team = new WorkerTeam(workers);
        Layout = new CpuMemoryLayout(_team.Count);
        _scratch = new LinearScratch(Memory, _team.Count);
    }

    /// <inheritdoc/>
    public override string Name => "cpu";

    /// <inheritdoc/>
    public override string Device => CpuInfo.Describe(_team.Count);

    /// <inheritdoc/>
    public override string Instructions => CpuInfo.Instructions;

    /// <inheritdoc/>
    public override int? Workers => _team.Count;

    /// <inheritdoc/>
    public override bool CopiesCaches => true;

    /// <inheritdoc/>
    public override int MostSequences => 64; // any number has these bits; more make nothing quicker

    /// <inheritdoc/>
    public override long? Capacity => GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;

    /// <inheritdoc/>
    public override DType ActivationType => Layout.ActivationType;

    /// <inheritdoc/>
    public override MemoryLayout Layout { get; }

    /// <inheritdoc/>
    public override Tensor Alloc(DType type, int rows, int columns, MemoryCategory category = MemoryCategory.Activations)
    {
        if (type != DType.F32) throw new ArgumentException("the CPU's tensors are f32", nameof(type));
        return new Tensor(new NativeBuffer(Memory, category, (long)rows * columns * type.ByteSize()), 0, type, rows, columns, columns);
    }

    /// <inheritdoc/>
    public override Weight Upload(HostWeight weight) => CpuWeight.Create(Memory, weight);

    /// <inheritdoc/>
    public override Workspace CreateWorkspace(WorkspaceShape shape) => new CpuWorkspace(Memory, shape, _team.Count);

    /// <inheritdoc/>
    public override void Write(ReadOnlySpan<float> source, Tensor x)
    {
        for (var r = 0; r < x.RowCount; r++) source.Slice(r * x.ColumnCount, x.ColumnCount).CopyTo(Row(x, r));
    }

    /// <inheritdoc/>
    public override void Read(Tensor x, Span<float> destination)
    {
        for (var r = 0; r < x.RowCount; r++) Row(x, r).CopyTo(destination[(r * x.ColumnCount)..]);
    }

    /// <inheritdoc/>
    protected override void BestCore(Tensor x, Span<int> columns)
    {
        for (var row = 0; row < columns.Length; row++)
            columns[row] = BestOf(new ReadOnlySpan<float>((float*)x.Rows(row, 1).Address, x.ColumnCount));
    }

    /// <inheritdoc/>
    public override void Synchronize() { }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _scratch.Dispose();
        _team.Dispose();
    }

    /// <inheritdoc/>
    protected override KvCache CreateCacheCore(KvGeometry geometry, KvSpec spec, int capacity) =>
        new CpuKvCache(Memory, geometry, spec, capacity);

    /// <inheritdoc/>
    protected override void EmbedCore(Step step, Weight embedding, Tensor x, float scale)
    {
        var weight = (CpuWeight)embedding;
        for (var t = 0; t < step.Count; t++)
        {
            weight.DecodeRow(step.Ids[t], (float*)x.Address + (long)t * x.RowStride);
            if (scale != 1) TensorPrimitives.Multiply(Row(x, t), scale, Row(x, t));
        }
    }

    /// <inheritdoc/>
    protected override void RmsNormCore(Tensor x, Weight gain, float epsilon, Tensor y)
    {
        ForRows(x, (x, y, (CpuWeight)gain, epsilon), static (in (Tensor X, Tensor Y, CpuWeight Gain, float Epsilon) s, int row) =>
        {
            var source = Row(s.X, row);
            var target = Row(s.Y, row);
            var gain = new ReadOnlySpan<float>(s.Gain.Vector, s.Gain.ColumnCount);
            for (var c = 0; c < source.Length; c += gain.Length)
                ElementKernels.RmsNorm(source.Slice(c, gain.Length), gain, s.Epsilon, target.Slice(c, gain.Length));
        });
    }

    /// <inheritdoc/>
    protected override void LinearCore(Tensor x, Weight weight, Tensor y) => LinearCore(x, [weight], [y]);

    /// <inheritdoc/>
    protected override void LinearCore(Tensor x, ReadOnlySpan<Weight> weights, ReadOnlySpan<Tensor> ys)
    {
        var products = default(LinearProducts);
        for (var from = 0; from < ys.Length; from += LinearKernel.MostTogether)
        {
            var count = Math.Min(ys.Length - from, LinearKernel.MostTogether);
            for (var i = 0; i < count; i++)
            {
                var y = ys[from + i];
                products[i] = new((CpuWeight)weights[from + i], (float*)y.Address, y.RowStride);
            }
            LinearKernel.Multiply(_team, (float*)x.Address, x.RowStride, x.RowCount, products[..count], _scratch);
        }
    }

    /// <inheritdoc/>
    protected override void RopeCore(Step step, Tensor x, RopeTable table)
    {
        var turns = ((CpuWorkspace)step.Workspace).Rope(step, table);
        ForRows(x, new RopeCall(x, turns, table), static (in RopeCall s, int row) =>
        {
            var half = s.Pairs;
            var turn = s.Turns + 2 * row * half;
            ElementKernels.Rope(Row(s.X, row), s.HeadDim, new(turn, half), new(turn + half, half));
        });
    }

    /// <inheritdoc/>
    protected override void AttentionCore(Step step, int layer, Tensor q, Tensor k, Tensor v, Tensor y) =>
        CpuAttention.Run(_team, step, layer, q, k, v, y);

    /// <inheritdoc/>
    protected override void SiluMulCore(Tensor gate, Tensor up) =>
        ForRows(gate, (gate, up), static (in (Tensor Gate, Tensor Up) s, int row) =>
            ElementKernels.SiluMul(Row(s.Gate, row), Row(s.Up, row)));

    /// <inheritdoc/>
    protected override void AddCore(Tensor x, Tensor y) =>
        ForRows(x, (x, y), static (in (Tensor X, Tensor Y) s, int row) =>
            TensorPrimitives.Add(Row(s.X, row), Row(s.Y, row), Row(s.X, row)));

    private static Span<float> Row(Tensor x, int row) => new((float*)x.Address + (long)row * x.RowStride, x.ColumnCount);

    private void ForRows<TState>(Tensor x, in TState state, RowBody<TState> body)
    {
        if ((long)x.RowCount * x.ColumnCount < ParallelElements)
        {
            for (var row = 0; row < x.RowCount; row++) body(state, row);
            return;
        }
        _team.For(x.RowCount, (state, body), static (in (TState State, RowBody<TState> Body) s, int row, int _) => s.Body(s.State, row));
    }

    private delegate void RowBody<TState>(in TState state, int row);

    private readonly struct RopeCall(Tensor x, float* turns, RopeTable table)
    {
        public Tensor X { get; } = x;

        /// <summary>[T, 2, pairs].</summary>
        public float* Turns { get; } = turns;

        public int HeadDim { get; } = table.HeadDim;

        public int Pairs { get; } = table.InverseFrequencies.Length;
    }
}
