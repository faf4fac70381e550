using KvPareto.Cuda.Interop;
using KvPareto.Engine.Seam;

namespace KvPareto.Cuda;

/// <summary>Device memory, counted in a <see cref="MemoryLedger"/>.</summary>
internal sealed class CudaBuffer : AddressedBuffer
{
    private readonly CudaContext _context;
    private readonly MemoryLedger _ledger;
    private readonly MemoryCategory _category;

    /// <summary>Allocates uninitialised bytes.</summary>
    /// <exception cref="InsufficientMemoryException">The device has not so many.</exception>
    public CudaBuffer(CudaContext context, MemoryLedger ledger, MemoryCategory category, long byteCount)
    {
        (_context, _ledger, _category, ByteCount) = (context, ledger, category, byteCount);
        context.MakeCurrent();
        CudaException.ThrowIfFailed(
            CudaDriver.cuMemAlloc_v2(out var address, (nuint)Math.Max(byteCount, 1)), $"{nameof(CudaDriver.cuMemAlloc_v2)}({byteCount})");
        Address = address;
        ledger.Add(category, byteCount);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        if (Address == 0) return;
        _context.MakeCurrent();
        _ = CudaDriver.cuMemFree_v2(Address);
        Address = 0;
        _ledger.Remove(_category, ByteCount);
    }
}
