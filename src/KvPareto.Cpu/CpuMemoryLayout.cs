using KvPareto.Cpu.Attention;
using KvPareto.Cpu.Kernels;
using KvPareto.Cpu.Storage;
using KvPareto.Engine.Cache;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Weights;

namespace KvPareto.Cpu;

/// <summary>Sizes of the CPU backend's allocations.</summary>
/// <param name="workers">Threads, each with scratch of its own.</param>
internal sealed class CpuMemoryLayout(int workers) : MemoryLayout
{
    /// <inheritdoc/>
    public override DType ActivationType => DType.F32;

    /// <inheritdoc/>
    public override long FixedBytes => LinearScratch.PredictByteCount(workers);

    /// <inheritdoc/>
    public override long WeightBytes(WeightFormat format, int rows, int columns, int group, bool hasBias) =>
        CpuWeight.PredictByteCount(format, rows, columns, group, hasBias);

    /// <inheritdoc/>
    public override long CacheBytes(KvGeometry geometry, KvSpec spec, int capacity) =>
        CpuKvCache.PredictByteCount(geometry, spec, capacity);

    /// <inheritdoc/>
    public override long WorkspaceBytes(WorkspaceShape shape) => CpuWorkspace.PredictByteCount(shape, workers);
}
