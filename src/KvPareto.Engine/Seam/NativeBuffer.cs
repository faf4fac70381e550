using System.Runtime.InteropServices;
using KvPareto.Engine.Seam.Interop;

namespace KvPareto.Engine.Seam;

/// <summary>Host memory outside the garbage collector, aligned to a cache line and counted in a <see cref="MemoryLedger"/>.</summary>
public sealed unsafe class NativeBuffer : AddressedBuffer
{
    /// <summary>Alignment in bytes: a cache line, and the widest vector.</summary>
    public const int Alignment = 64;

    static NativeBuffer() => Glibc.ReturnLargeBlocks();

    private readonly MemoryLedger _ledger;
    private readonly MemoryCategory _category;
    private readonly SharedBlock? _block;

    /// <summary>Allocates <paramref name="byteCount"/> uninitialised bytes.</summary>
    /// <param name="ledger">Where the bytes count.</param>
    /// <param name="category">What they are for.</param>
    /// <param name="byteCount">Size; zero is allowed.</param>
    /// <exception cref="OutOfMemoryException">The system has no such block.</exception>
    public NativeBuffer(MemoryLedger ledger, MemoryCategory category, long byteCount)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(byteCount);
        (_ledger, _category, ByteCount) = (ledger, category, byteCount);
        if (category == MemoryCategory.Weights && byteCount <= SharedBlock.MaxPartBytes)
            (_block, Address) = SharedBlock.Take((int)byteCount);
        else
        {
            Address = (nint)NativeMemory.AlignedAlloc((nuint)Math.Max(byteCount, 1), Alignment);
            Glibc.UseLargePages(Address, byteCount);
        }
        ledger.Add(category, byteCount);
    }

    /// <summary>Bytes rounded up to whole cache lines.</summary>
    public static long Aligned(long bytes) => (bytes + Alignment - 1) / Alignment * Alignment;

    /// <summary>The memory as <typeparamref name="T"/> elements from the first byte on.</summary>
    public T* As<T>() where T : unmanaged => (T*)Address;

    /// <summary>Sets every byte to zero.</summary>
    public NativeBuffer Clear()
    {
        NativeMemory.Clear((void*)Address, (nuint)ByteCount);
        return this;
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        if (Address == 0) return;
        if (_block is null) NativeMemory.AlignedFree((void*)Address);
        else _block.Return();
        Address = 0;
        _ledger.Remove(_category, ByteCount);
    }
}
