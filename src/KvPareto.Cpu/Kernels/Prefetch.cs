using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace KvPareto.Cpu.Kernels;

/// <summary>Asks for memory that is read soon: streams are asked for a little ahead of where they are read, since unpacking and waiting
/// take turns otherwise.</summary>
internal static unsafe class Prefetch
{
    /// <summary>Bytes of a cache line.</summary>
    public const int CacheLine = 64;

    // How far ahead a stream is asked for. Without, unpacking and reading take turns: on Zen 5 out of memory, one core, 24 GB/s in place of
    // 33 for bf16, 15 of 33 for f16 and 9 of 24 for W4, of 35 that plain reading reaches.
    private const int AheadBytes = 8192;

    // Of one row, in two steps: in one, a Xeon's two cores read 64 in place of 74 % of their bandwidth at 4 bits and 79 in place of 88 at
    // 16, since the first-level cache waits for few lines at a time.
    private const int FarBytes = 16384;
    private const int NearBytes = 1024;

    /// <summary>What a stream whose next <paramref name="bytes"/> bytes are read at <paramref name="from"/> will read.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Ahead(byte* from, int bytes) => Lines(from + AheadBytes, bytes);

    /// <summary>The same of a stream with little to do for each line: into the second-level cache, and shortly before its turn into the
    /// first.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Stream(byte* from, int bytes)
    {
        LinesForLater(from + FarBytes, bytes);
        Lines(from + NearBytes, bytes);
    }

    /// <summary>The cache lines of <paramref name="bytes"/> bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Lines(byte* from, int bytes)
    {
        if (!Sse.IsSupported) return;
        for (var line = 0; line < bytes; line += CacheLine) Sse.Prefetch0(from + line);
    }

    /// <summary>The same for what is read a while later: no nearer to the core than its second-level cache.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LinesForLater(byte* from, int bytes)
    {
        if (!Sse.IsSupported) return;
        for (var line = 0; line < bytes; line += CacheLine) Sse.Prefetch1(from + line);
    }
}
