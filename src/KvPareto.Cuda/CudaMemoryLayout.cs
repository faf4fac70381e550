using KvPareto.Engine.Cache;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Weights;
using KvPareto.Text.Input;

namespace KvPareto.Cuda;

/// <summary>Sizes of the CUDA backend's allocations.</summary>
public sealed class CudaMemoryLayout : MemoryLayout
{
    // What the attention kernels are written for.
    private const int HeadStep = 16;
    private const int WidestHead = 256;

    /// <inheritdoc/>
    public override DType ActivationType => DType.BF16;

    /// <inheritdoc/>
    public override long FixedBytes => 0;

    /// <inheritdoc/>
    public override void Check(KvGeometry geometry, KvSpec spec)
    {
        base.Check(geometry, spec);
        if (geometry.HeadDim % HeadStep != 0 || geometry.HeadDim > WidestHead)
            throw new ConfigException(
                $"device cuda: the model's head_dim is {geometry.HeadDim}; allowed: a multiple of {HeadStep} up to {WidestHead}");
    }

    /// <inheritdoc/>
    public override long WeightBytes(WeightFormat format, int rows, int columns, int group, bool hasBias) =>
        CudaWeight.PredictByteCount(format, rows, columns, group, hasBias);

    /// <inheritdoc/>
    public override long ProductBytes(WeightFormat format, int rows, int columns) => CudaWeight.PredictProductBytes(format, rows, columns);

    /// <inheritdoc/>
    public override long CacheBytes(KvGeometry geometry, KvSpec spec, int capacity) => new CudaKvLayout(geometry, spec, capacity).ByteCount;

    /// <inheritdoc/>
    public override long WorkspaceBytes(WorkspaceShape shape) => CudaWorkspace.PredictByteCount(shape);
}
