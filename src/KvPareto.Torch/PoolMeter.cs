using KvPareto.Engine.Seam;
using KvPareto.Torch.Interop;

namespace KvPareto.Torch;

/// <summary>The high mark of a CUDA device's default memory pool, from which libtorch allocates (cudaMallocAsync); exact to the
/// byte.</summary>
internal sealed class PoolMeter : MemoryMeter
{
    private readonly nint _pool;

    private PoolMeter(nint pool)
    {
        _pool = pool;
        Reset();
    }

    /// <inheritdoc/>
    public override PeakKind Kind => PeakKind.Pool;

    /// <inheritdoc/>
    public override long HighBytes => CudaDevice.cuMemPoolGetAttribute(_pool, CudaDevice.UsedHigh, out var bytes) == 0 ? (long)bytes : 0;

    /// <summary>A meter of a device that libtorch has already begun to use; null where the driver has no such pool.</summary>
    public static PoolMeter? TryCreate(int ordinal)
    {
        try
        {
            return CudaDevice.cuDeviceGet(out var device, ordinal) == 0 && CudaDevice.cuDeviceGetDefaultMemPool(out var pool, device) == 0
                ? new PoolMeter(pool) : null;
        }
        catch (Exception error) when (error is DllNotFoundException or EntryPointNotFoundException)
        {
            return null;
        }
    }

    /// <inheritdoc/>
    public override void Reset() => _ = CudaDevice.cuMemPoolSetAttribute(_pool, CudaDevice.UsedHigh, 0);
}
