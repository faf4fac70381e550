using System.Runtime.CompilerServices;

namespace KvPareto.Cpu.Kernels;

/// <summary>How codes lie in a line of a strip (<see cref="Strip"/>), as a type argument.</summary>
internal interface ICodeFormat
{
    /// <summary>Bits of a code.</summary>
    static abstract int Bits { get; }

    /// <summary>Channels that a line covers.</summary>
    static abstract int LineChannels { get; }

    /// <summary>The <see cref="LineChannels"/> stored codes q − qmin of one row in every other place of a dword.</summary>
    static abstract uint Spread(ushort stored);
}

/// <summary>What all code formats share.</summary>
internal static class CodeFormats
{
    /// <summary>Bits that a line has for each of its 32 rows.</summary>
    public const int RowBits = 16;

    /// <summary>All groups of channels have a multiple of so many.</summary>
    public const int LeastGroup = 32;
}

/// <summary>4-bit codes.</summary>
internal readonly struct W4Codes : ICodeFormat
{
    public static int Bits
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => 4;
    }

    public static int LineChannels
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => CodeFormats.RowBits / Bits;
    }

    public static uint Spread(ushort stored)
    {
        uint value = stored;
        value = (value | value << 8) & 0x00FF00FF;
        return (value | value << 4) & 0x0F0F0F0F;
    }
}

/// <summary>8-bit codes.</summary>
internal readonly struct W8Codes : ICodeFormat
{
    public static int Bits
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => 8;
    }

    public static int LineChannels
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => CodeFormats.RowBits / Bits;
    }

    public static uint Spread(ushort stored)
    {
        uint value = stored;
        return (value | value << 8) & 0x00FF00FF;
    }
}
