using KvPareto.Cuda.Interop;
using KvPareto.Engine.Seam;

namespace KvPareto.Cuda;

/// <summary>Device memory, counted in a <see cref="MemoryLedger"/>.</summary>
internal sealed class CudaBuffer : AddressedBuffer
{
    private readonly CudaContext _context;
    private readonly MemoryLedger _ledger;
    private readonly MemoryCategory _category;
    private readonly AddressedBuffer? _lent;

    /// <summary>Allocates uninitialised bytes.</summary>
    /// <exception cref="InsufficientMemoryException">The device has not so many.</exception>
    public CudaBuffer(CudaContext context, MemoryLedger ledger, MemoryCategory category, long byteCount)
    {
        (_context, _ledger, _category, ByteCount) = (context, ledger, category, byteCount);
        context.MakeCurrent();
        _lent = context.Lender?.Lend(category, byteCount);
        nint address = 0;
        if (_lent is null)
            CudaException.ThrowIfFailed(
                CudaDriver.cuMemAlloc_v2(out address, (nuint)Math.Max(byteCount, 1)), $"{nameof(CudaDriver.cuMemAlloc_v2)}({byteCount})");
        Address = _lent?.Address ?? address;
        ledger.Add(category, byteCount);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        if (Address == 0) return;
        _context.MakeCurrent();
        if (_lent is null) _ = CudaDriver.cuMemFree_v2(Address);
        else _lent.Dispose();
        Address = 0;
        _ledger.Remove(_category, ByteCount);
    }
}
