using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace KvPareto.Cpu.Kernels;

/// <summary>How codes lie in a line of a strip (<see cref="Strip"/>), as a type argument.</summary>
internal interface ICodeFormat
{
    /// <summary>Bits of a code.</summary>
    static abstract int Bits { get; }

    /// <summary>Channels that a line covers.</summary>
    static abstract int LineChannels { get; }

    /// <summary>What <see cref="Values"/> looks up.</summary>
    static abstract Vector512<float> Table { get; }

    /// <summary>The signed codes in the low bits of each lane, whatever the bits above them.</summary>
    static abstract Vector512<float> Values(Vector512<float> table, Vector512<int> codes);

    /// <summary>The <see cref="LineChannels"/> stored codes q − qmin of one row as two's complement in every other place of a
    /// dword.</summary>
    static abstract uint Spread(ushort stored);
}

/// <summary>What all code formats share.</summary>
internal static class CodeFormats
{
    /// <summary>Bits that a line has for each of its 32 rows.</summary>
    public const int ChannelBits = 16;
}

/// <summary>4-bit codes.</summary>
internal readonly struct W4Codes : ICodeFormat
{
    public static int Bits => 4;

    public static int LineChannels => CodeFormats.ChannelBits / Bits;

    public static Vector512<float> Table => Vector512.Create(0f, 1, 2, 3, 4, 5, 6, 7, -8, -7, -6, -5, -4, -3, -2, -1);

    // The permutation looks at the low four bits of each lane alone, so a shift is all that unpacks a nibble.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Values(Vector512<float> table, Vector512<int> codes) => Avx512F.PermuteVar16x32(table, codes);

    public static uint Spread(ushort stored)
    {
        var value = (uint)(stored ^ 0x8888);
        value = (value | value << 8) & 0x00FF00FF;
        return (value | value << 4) & 0x0F0F0F0F;
    }
}

/// <summary>8-bit codes.</summary>
internal readonly struct W8Codes : ICodeFormat
{
    public static int Bits => 8;

    public static int LineChannels => CodeFormats.ChannelBits / Bits;

    public static Vector512<float> Table => default;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Values(Vector512<float> table, Vector512<int> codes) => Vector512.ConvertToSingle(codes << 24 >> 24);

    public static uint Spread(ushort stored)
    {
        var value = (uint)(stored ^ 0x8080);
        return (value | value << 8) & 0x00FF00FF;
    }
}
