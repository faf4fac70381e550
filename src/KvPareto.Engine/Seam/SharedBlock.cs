using System.Runtime.InteropServices;
using KvPareto.Engine.Seam.Interop;

namespace KvPareto.Engine.Seam;

/// <summary>
/// Host memory that weights share, one after the other, so that those too small for a large page lie on large pages too: a token reads
/// each weight once, and with small pages the processor looks up an address for every 4 KiB of them. It goes back to the system
/// with the last of its parts.
/// </summary>
internal sealed unsafe class SharedBlock
{
    /// <summary>Bytes of the longest part; what is longer has large pages of its own.</summary>
    public const int MaxPartBytes = Bytes / 4;

    private const int Bytes = 32 << 20;
    private static readonly Lock Gate = new();
    private static SharedBlock? _open; // the one that parts are taken of

    private readonly nint _address = (nint)NativeMemory.AlignedAlloc(Bytes, Glibc.LargePage);
    private int _used;
    private int _parts;

    private SharedBlock() => Glibc.UseLargePages(_address, Bytes);

    /// <summary>A part of <paramref name="byteCount"/> bytes, aligned as <see cref="NativeBuffer.Alignment"/> says, and the block to
    /// <see cref="Return"/> it to.</summary>
    public static (SharedBlock Block, nint Address) Take(int byteCount)
    {
        lock (Gate)
        {
            if (_open is null || Bytes - _open._used < byteCount) _open = new SharedBlock();
            var address = _open._address + _open._used;
            _open._used += (int)NativeBuffer.Aligned(byteCount);
            _open._parts++;
            return (_open, address);
        }
    }

    /// <summary>Gives a part back.</summary>
    public void Return()
    {
        lock (Gate)
        {
            if (--_parts > 0) return;
            if (_open == this) _open = null;
            NativeMemory.AlignedFree((void*)_address);
        }
    }
}
