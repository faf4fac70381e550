using System.Runtime.CompilerServices;

namespace KvPareto.Cpu.Kernels;

/// <summary>Where the parts of a block of 32 rows lie (<see cref="IBlockFormat"/>), constants of its format.</summary>
/// <typeparam name="TFormat">Format of the blocks.</typeparam>
internal static class BlockLayout<TFormat> where TFormat : struct, IBlockFormat
{
    /// <summary>Bits of a code in its line; what has more lies behind all lines.</summary>
    public static int LowBits
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => TFormat.CodeBits < 4 ? 2 : 4;
    }

    /// <summary>Bits of a code that lie there. 8-bit codes are planes, in one part.</summary>
    public static int TopBits
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => TFormat.CodeBits == 8 ? 0 : TFormat.CodeBits - LowBits;
    }

    /// <summary>First byte of the codes.</summary>
    public static int CodesAt
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => TFormat.ScaleBytes * Strip.Rows;
    }

    /// <summary>Bytes of the lines of low bits.</summary>
    public static int LowBytes
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => TFormat.Elements * LowBits / 8 * Strip.Rows;
    }
}
