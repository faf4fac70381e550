using System.Runtime.CompilerServices;
using KvPareto.Engine.Weights;

namespace KvPareto.Cpu.Kernels;

/// <summary>
/// How a block of ggml's, of 32 rows at once, lies in a strip: the file's own bits in another order. First the bytes of its scales
/// as planes, plane b with byte b of each row (of an f16 field the two planes together are 32 halves). Then the codes: lines of
/// the low nibbles of four channels as W4 has them (<see cref="Strip"/>), channels in order; then of 5-bit codes for every 32
/// channels, of 6-bit codes for every 16, one dword a row of what is above the nibbles. Codes of 2 and 3 bits lie likewise in words of half
/// the size, their low two bits first, and of 3 bits a word a row for every 16 channels. 8-bit codes are planes. A sub-block is
/// neighbouring channels of one scale. An element is scale·code, plus the offset where the format has one, each rounded by itself
/// as <see cref="Engine.Weights.BlockCodec"/> has it.
/// </summary>
internal unsafe interface IBlockFormat
{
    static abstract WeightFormat Format { get; }

    /// <summary>Channels of a block, 32 or 256.</summary>
    static abstract int Elements { get; }

    /// <summary>2, 3, 4, 5, 6 or 8.</summary>
    static abstract int CodeBits { get; }

    /// <summary>True where sub-blocks have an offset; codes are then unsigned, else less half their range.</summary>
    static abstract bool HasOffset { get; }

    /// <summary>True where a code is the index of a value (<see cref="BlockCodec.IQ4Values"/>).</summary>
    static virtual bool HasTable => false;

    /// <summary>Channels of one scale, 16 or 32.</summary>
    static abstract int SubBlockLength { get; }

    /// <summary>Planes before the codes.</summary>
    static abstract int ScaleBytes { get; }

    /// <summary>Scale and offset of a sub-block.</summary>
    /// <param name="planes">First plane.</param>
    /// <param name="row">First row of the vector.</param>
    /// <param name="subBlock">Sub-block within the block.</param>
    static abstract (TFloat Scale, TFloat Offset) SubBlock<TLanes, TFloat, TInt>(byte* planes, int row, int subBlock)
        where TLanes : ILanes<TFloat, TInt>
        where TFloat : unmanaged
        where TInt : unmanaged;
}

/// <summary>d f16.</summary>
internal readonly unsafe struct Q40Blocks : IBlockFormat
{
    public static WeightFormat Format => WeightFormat.Q40;
    public static int Elements => 32;
    public static int CodeBits => 4;
    public static bool HasOffset => false;
    public static int SubBlockLength => 32;
    public static int ScaleBytes => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (TFloat Scale, TFloat Offset) SubBlock<TLanes, TFloat, TInt>(byte* planes, int row, int subBlock)
        where TLanes : ILanes<TFloat, TInt>
        where TFloat : unmanaged
        where TInt : unmanaged =>
        (BlockPlanes<TLanes, TFloat, TInt>.Half(planes, row, 0), TLanes.Zero);
}

/// <summary>d f16, m f16.</summary>
internal readonly unsafe struct Q41Blocks : IBlockFormat
{
    public static WeightFormat Format => WeightFormat.Q41;
    public static int Elements => 32;
    public static int CodeBits => 4;
    public static bool HasOffset => true;
    public static int SubBlockLength => 32;
    public static int ScaleBytes => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (TFloat Scale, TFloat Offset) SubBlock<TLanes, TFloat, TInt>(byte* planes, int row, int subBlock)
        where TLanes : ILanes<TFloat, TInt>
        where TFloat : unmanaged
        where TInt : unmanaged =>
        (BlockPlanes<TLanes, TFloat, TInt>.Half(planes, row, 0), BlockPlanes<TLanes, TFloat, TInt>.Half(planes, row, 2));
}

/// <summary>d f16.</summary>
internal readonly unsafe struct Q50Blocks : IBlockFormat
{
    public static WeightFormat Format => WeightFormat.Q50;
    public static int Elements => 32;
    public static int CodeBits => 5;
    public static bool HasOffset => false;
    public static int SubBlockLength => 32;
    public static int ScaleBytes => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (TFloat Scale, TFloat Offset) SubBlock<TLanes, TFloat, TInt>(byte* planes, int row, int subBlock)
        where TLanes : ILanes<TFloat, TInt>
        where TFloat : unmanaged
        where TInt : unmanaged =>
        (BlockPlanes<TLanes, TFloat, TInt>.Half(planes, row, 0), TLanes.Zero);
}

/// <summary>d f16, m f16.</summary>
internal readonly unsafe struct Q51Blocks : IBlockFormat
{
    public static WeightFormat Format => WeightFormat.Q51;
    public static int Elements => 32;
    public static int CodeBits => 5;
    public static bool HasOffset => true;
    public static int SubBlockLength => 32;
    public static int ScaleBytes => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (TFloat Scale, TFloat Offset) SubBlock<TLanes, TFloat, TInt>(byte* planes, int row, int subBlock)
        where TLanes : ILanes<TFloat, TInt>
        where TFloat : unmanaged
        where TInt : unmanaged =>
        (BlockPlanes<TLanes, TFloat, TInt>.Half(planes, row, 0), BlockPlanes<TLanes, TFloat, TInt>.Half(planes, row, 2));
}

/// <summary>d f16.</summary>
internal readonly unsafe struct Q80Blocks : IBlockFormat
{
    public static WeightFormat Format => WeightFormat.Q80;
    public static int Elements => 32;
    public static int CodeBits => 8;
    public static bool HasOffset => false;
    public static int SubBlockLength => 32;
    public static int ScaleBytes => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (TFloat Scale, TFloat Offset) SubBlock<TLanes, TFloat, TInt>(byte* planes, int row, int subBlock)
        where TLanes : ILanes<TFloat, TInt>
        where TFloat : unmanaged
        where TInt : unmanaged =>
        (BlockPlanes<TLanes, TFloat, TInt>.Half(planes, row, 0), TLanes.Zero);
}

/// <summary>d f16, dmin f16, scales and minima of 6 bits [12].</summary>
internal readonly unsafe struct Q4KBlocks : IBlockFormat
{
    public static WeightFormat Format => WeightFormat.Q4K;
    public static int Elements => 256;
    public static int CodeBits => 4;
    public static bool HasOffset => true;
    public static int SubBlockLength => 32;
    public static int ScaleBytes => 16;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (TFloat Scale, TFloat Offset) SubBlock<TLanes, TFloat, TInt>(byte* planes, int row, int subBlock)
        where TLanes : ILanes<TFloat, TInt>
        where TFloat : unmanaged
        where TInt : unmanaged =>
        BlockPlanes<TLanes, TFloat, TInt>.KSubBlock(planes, row, subBlock);
}

/// <summary>d f16, dmin f16, scales and minima of 6 bits [12].</summary>
internal readonly unsafe struct Q5KBlocks : IBlockFormat
{
    public static WeightFormat Format => WeightFormat.Q5K;
    public static int Elements => 256;
    public static int CodeBits => 5;
    public static bool HasOffset => true;
    public static int SubBlockLength => 32;
    public static int ScaleBytes => 16;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (TFloat Scale, TFloat Offset) SubBlock<TLanes, TFloat, TInt>(byte* planes, int row, int subBlock)
        where TLanes : ILanes<TFloat, TInt>
        where TFloat : unmanaged
        where TInt : unmanaged =>
        BlockPlanes<TLanes, TFloat, TInt>.KSubBlock(planes, row, subBlock);
}

/// <summary>d f16, scales i8 [16].</summary>
internal readonly unsafe struct Q6KBlocks : IBlockFormat
{
    public static WeightFormat Format => WeightFormat.Q6K;
    public static int Elements => 256;
    public static int CodeBits => 6;
    public static bool HasOffset => false;
    public static int SubBlockLength => 16;
    public static int ScaleBytes => 18;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (TFloat Scale, TFloat Offset) SubBlock<TLanes, TFloat, TInt>(byte* planes, int row, int subBlock)
        where TLanes : ILanes<TFloat, TInt>
        where TFloat : unmanaged
        where TInt : unmanaged =>
        (
            TLanes.Multiply(
                BlockPlanes<TLanes, TFloat, TInt>.Half(planes, row, 0),
                    TLanes.ToSingle(TLanes.LoadSignedBytes(planes + (2 + subBlock) * Strip.Rows + row))),
            TLanes.Zero);
}
