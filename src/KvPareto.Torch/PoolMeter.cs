using KvPareto.Engine.Seam;
using KvPareto.Torch.Interop;

namespace KvPareto.Torch;

/// <summary>The high mark of a CUDA device's default memory pool, from which libtorch allocates (cudaMallocAsync); exact to the
/// byte.</summary>
internal sealed class PoolMeter(nint pool) : MemoryMeter
{
    public override PeakKind Kind => PeakKind.Pool;

    public override long HighBytes => CudaDriver.cuMemPoolGetAttribute(pool, CudaDriver.UsedHigh, out var bytes) == 0 ? (long)bytes : 0;

    public override void Reset() => _ = CudaDriver.cuMemPoolSetAttribute(pool, CudaDriver.UsedHigh, 0);
}
