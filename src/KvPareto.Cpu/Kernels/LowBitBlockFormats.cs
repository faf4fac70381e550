using System.Runtime.CompilerServices;
using KvPareto.Engine.Weights;

namespace KvPareto.Cpu.Kernels;

/// <summary>d f16, dmin f16, scales (low nibbles) and minima [16].</summary>
internal readonly unsafe struct Q2KBlocks : IBlockFormat
{
    public static WeightFormat Format => WeightFormat.Q2K;
    public static int Elements => 256;
    public static int CodeBits => 2;
    public static bool HasOffset => true;
    public static int SubBlockLength => 16;
    public static int ScaleBytes => 20;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (TFloat Scale, TFloat Offset) SubBlock<TLanes, TFloat, TInt>(byte* planes, int row, int subBlock)
        where TLanes : ILanes<TFloat, TInt>
        where TFloat : unmanaged
        where TInt : unmanaged
    {
        var both = TLanes.LoadBytes(planes + (4 + subBlock) * Strip.Rows + row);
        var minimum = TLanes.Multiply(BlockPlanes<TLanes, TFloat, TInt>.Half(planes, row, 2), TLanes.ToSingle(TLanes.ShiftRight(both, 4)));
        return (
            TLanes.Multiply(BlockPlanes<TLanes, TFloat, TInt>.Half(planes, row, 0), TLanes.ToSingle(TLanes.And(both, 15))),
            TLanes.Multiply(minimum, TLanes.Broadcast(-1)));
    }
}

/// <summary>d f16, scales of 6 bits less 32 [12].</summary>
internal readonly unsafe struct Q3KBlocks : IBlockFormat
{
    public static WeightFormat Format => WeightFormat.Q3K;
    public static int Elements => 256;
    public static int CodeBits => 3;
    public static bool HasOffset => false;
    public static int SubBlockLength => 16;
    public static int ScaleBytes => 14;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (TFloat Scale, TFloat Offset) SubBlock<TLanes, TFloat, TInt>(byte* planes, int row, int subBlock)
        where TLanes : ILanes<TFloat, TInt>
        where TFloat : unmanaged
        where TInt : unmanaged
    {
        var low = TLanes.ShiftRight(TLanes.LoadBytes(planes + (2 + subBlock % 8) * Strip.Rows + row), subBlock / 8 * 4);
        var high = TLanes.ShiftRight(TLanes.LoadBytes(planes + (10 + subBlock % 4) * Strip.Rows + row), subBlock / 4 * 2);
        return (SixBits<TLanes, TFloat, TInt>.Scale(low, high, BlockPlanes<TLanes, TFloat, TInt>.Half(planes, row, 0)), TLanes.Zero);
    }
}

/// <summary>d f16.</summary>
internal readonly unsafe struct IQ4NLBlocks : IBlockFormat
{
    public static WeightFormat Format => WeightFormat.IQ4NL;
    public static int Elements => 32;
    public static int CodeBits => 4;
    public static bool HasOffset => false;
    public static bool HasTable => true;
    public static int SubBlockLength => 32;
    public static int ScaleBytes => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (TFloat Scale, TFloat Offset) SubBlock<TLanes, TFloat, TInt>(byte* planes, int row, int subBlock)
        where TLanes : ILanes<TFloat, TInt>
        where TFloat : unmanaged
        where TInt : unmanaged =>
        (BlockPlanes<TLanes, TFloat, TInt>.Half(planes, row, 0), TLanes.Zero);
}

/// <summary>d f16, upper two bits of the scales u16, lower four [4]; a scale is less 32.</summary>
internal readonly unsafe struct IQ4XSBlocks : IBlockFormat
{
    public static WeightFormat Format => WeightFormat.IQ4XS;
    public static int Elements => 256;
    public static int CodeBits => 4;
    public static bool HasOffset => false;
    public static bool HasTable => true;
    public static int SubBlockLength => 32;
    public static int ScaleBytes => 8;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (TFloat Scale, TFloat Offset) SubBlock<TLanes, TFloat, TInt>(byte* planes, int row, int subBlock)
        where TLanes : ILanes<TFloat, TInt>
        where TFloat : unmanaged
        where TInt : unmanaged
    {
        var low = TLanes.ShiftRight(TLanes.LoadBytes(planes + (4 + subBlock / 2) * Strip.Rows + row), subBlock % 2 * 4);
        // The two bytes of the word lie side by side, as those of an f16 do.
        var words = TLanes.LoadShorts((ushort*)(planes + 2 * Strip.Rows) + row);
        return (SixBits<TLanes, TFloat,
            TInt>.Scale(low, TLanes.ShiftRight(words, 2 * subBlock), BlockPlanes<TLanes, TFloat, TInt>.Half(planes, row, 0)), TLanes.Zero);
    }
}

/// <summary>Scales of 6 bits less 32 in two parts.</summary>
internal static class SixBits<TLanes, TFloat, TInt>
    where TLanes : ILanes<TFloat, TInt>
    where TFloat : unmanaged
    where TInt : unmanaged
{
    /// <summary>factor · ((low nibble | two bits above it) − 32).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TFloat Scale(TInt low, TInt high, TFloat factor)
    {
        var scale = TLanes.Or(TLanes.And(low, 15), TLanes.ShiftLeft(TLanes.And(high, 3), 4));
        return TLanes.Multiply(factor, TLanes.Add(TLanes.ToSingle(scale), TLanes.Broadcast(-32)));
    }
}
