using System.Runtime.CompilerServices;

namespace KvPareto.Engine.Cpu.Kernels;

/// <summary>d f16, codes [16].</summary>
internal readonly unsafe struct Q40Blocks : IBlockFormat
{
    public static WeightFormat Format => WeightFormat.Q40;

    public static int RunLength => 16;

    public static bool HasOffset => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (TFloat Scale, TFloat Offset) Run<TLanes, TFloat, TInt>(byte* block, int row, int run)
        where TLanes : ILanes<TFloat, TInt>
        where TFloat : unmanaged
        where TInt : unmanaged =>
        (BlockFields<TLanes, TFloat, TInt>.Half(block, row, 0), TLanes.Zero);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TFloat Code<TLanes, TFloat, TInt>(byte* block, int row, int run, int i)
        where TLanes : ILanes<TFloat, TInt>
        where TFloat : unmanaged
        where TInt : unmanaged =>
        TLanes.Code(TLanes.ShiftRight(BlockFields<TLanes, TFloat, TInt>.Bytes(block, row, 2 + i), 4 * run), 4);
}

/// <summary>d f16, m f16, codes [16].</summary>
internal readonly unsafe struct Q41Blocks : IBlockFormat
{
    public static WeightFormat Format => WeightFormat.Q41;

    public static int RunLength => 16;

    public static bool HasOffset => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (TFloat Scale, TFloat Offset) Run<TLanes, TFloat, TInt>(byte* block, int row, int run)
        where TLanes : ILanes<TFloat, TInt>
        where TFloat : unmanaged
        where TInt : unmanaged =>
        (BlockFields<TLanes, TFloat, TInt>.Half(block, row, 0), BlockFields<TLanes, TFloat, TInt>.Half(block, row, 2));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TFloat Code<TLanes, TFloat, TInt>(byte* block, int row, int run, int i)
        where TLanes : ILanes<TFloat, TInt>
        where TFloat : unmanaged
        where TInt : unmanaged =>
        TLanes.ToSingle(BlockFields<TLanes, TFloat, TInt>.Nibbles(block, row, 4 + i, run));
}

/// <summary>d f16, fifth bits [4], codes [16].</summary>
internal readonly unsafe struct Q50Blocks : IBlockFormat
{
    public static WeightFormat Format => WeightFormat.Q50;

    public static int RunLength => 16;

    public static bool HasOffset => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (TFloat Scale, TFloat Offset) Run<TLanes, TFloat, TInt>(byte* block, int row, int run)
        where TLanes : ILanes<TFloat, TInt>
        where TFloat : unmanaged
        where TInt : unmanaged =>
        (BlockFields<TLanes, TFloat, TInt>.Half(block, row, 0), TLanes.Zero);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TFloat Code<TLanes, TFloat, TInt>(byte* block, int row, int run, int i)
        where TLanes : ILanes<TFloat, TInt>
        where TFloat : unmanaged
        where TInt : unmanaged =>
        BlockFields<TLanes, TFloat, TInt>.Less(BlockFields<TLanes, TFloat, TInt>.FiveBits(block, row, 6 + i, run, 2 + 2 * run + i / 8, i % 8), 16);
}

/// <summary>d f16, m f16, fifth bits [4], codes [16].</summary>
internal readonly unsafe struct Q51Blocks : IBlockFormat
{
    public static WeightFormat Format => WeightFormat.Q51;

    public static int RunLength => 16;

    public static bool HasOffset => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (TFloat Scale, TFloat Offset) Run<TLanes, TFloat, TInt>(byte* block, int row, int run)
        where TLanes : ILanes<TFloat, TInt>
        where TFloat : unmanaged
        where TInt : unmanaged =>
        (BlockFields<TLanes, TFloat, TInt>.Half(block, row, 0), BlockFields<TLanes, TFloat, TInt>.Half(block, row, 2));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TFloat Code<TLanes, TFloat, TInt>(byte* block, int row, int run, int i)
        where TLanes : ILanes<TFloat, TInt>
        where TFloat : unmanaged
        where TInt : unmanaged =>
        TLanes.ToSingle(BlockFields<TLanes, TFloat, TInt>.FiveBits(block, row, 8 + i, run, 4 + 2 * run + i / 8, i % 8));
}

/// <summary>d f16, codes [32].</summary>
internal readonly unsafe struct Q80Blocks : IBlockFormat
{
    public static WeightFormat Format => WeightFormat.Q80;

    public static int RunLength => 32;

    public static bool HasOffset => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (TFloat Scale, TFloat Offset) Run<TLanes, TFloat, TInt>(byte* block, int row, int run)
        where TLanes : ILanes<TFloat, TInt>
        where TFloat : unmanaged
        where TInt : unmanaged =>
        (BlockFields<TLanes, TFloat, TInt>.Half(block, row, 0), TLanes.Zero);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TFloat Code<TLanes, TFloat, TInt>(byte* block, int row, int run, int i)
        where TLanes : ILanes<TFloat, TInt>
        where TFloat : unmanaged
        where TInt : unmanaged =>
        TLanes.ToSingle(TLanes.LoadSignedBytes(block + (2 + i) * Strip.Rows + row));
}
