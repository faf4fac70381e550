using KvPareto.Engine.Seam;
using KvPareto.Torch.Interop;

namespace KvPareto.Torch;

/// <summary>The high mark of a CUDA device's default memory pool, from which libtorch allocates (cudaMallocAsync); exact to the
/// byte.</summary>
internal sealed class PoolMeter(nint pool) : MemoryMeter
{
    /// <inheritdoc/>
    public override PeakKind Kind => PeakKind.Pool;

    /// <inheritdoc/>
    public override long HighBytes => CudaDriver.HighBytes(pool);

    /// <summary>A meter of a device that libtorch has already begun to use; null where the driver has no such pool.</summary>
    public static PoolMeter? TryCreate(int ordinal)
    {
        var meter = CudaDriver.Pool(ordinal) is { } pool ? new PoolMeter(pool) : null;
        meter?.Reset();
        return meter;
    }

    /// <inheritdoc/>
    public override void Reset() => CudaDriver.ResetHigh(pool);
}
