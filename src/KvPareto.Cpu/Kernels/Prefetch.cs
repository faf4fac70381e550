using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace KvPareto.Cpu.Kernels;

/// <summary>Asks for memory that is read soon: streams are asked for a little ahead of where they are read, since unpacking and waiting
/// take turns otherwise.</summary>
internal static unsafe class Prefetch
{
    /// <summary>Bytes of a cache line.</summary>
    public const int CacheLine = 64;

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
