using System.Runtime.CompilerServices;

namespace KvPareto.Engine.Cpu.Kernels;

/// <summary>d f16, dmin f16, scales and minima [12], codes [128].</summary>
internal readonly unsafe struct Q4KBlocks : IBlockFormat
{
    public static WeightFormat Format => WeightFormat.Q4K;

    public static int RunLength => 32;

    public static bool HasOffset => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (TFloat Scale, TFloat Offset) Run<TLanes, TFloat, TInt>(byte* block, int row, int run)
        where TLanes : ILanes<TFloat, TInt>
        where TFloat : unmanaged
        where TInt : unmanaged =>
        BlockFields<TLanes, TFloat, TInt>.KRun(block, row, run);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TFloat Code<TLanes, TFloat, TInt>(byte* block, int row, int run, int i)
        where TLanes : ILanes<TFloat, TInt>
        where TFloat : unmanaged
        where TInt : unmanaged =>
        TLanes.ToSingle(BlockFields<TLanes, TFloat, TInt>.Nibbles(block, row, 16 + 32 * (run / 2) + i, run % 2));
}

/// <summary>d f16, dmin f16, scales and minima [12], fifth bits [32], codes [128].</summary>
internal readonly unsafe struct Q5KBlocks : IBlockFormat
{
    public static WeightFormat Format => WeightFormat.Q5K;

    public static int RunLength => 32;

    public static bool HasOffset => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (TFloat Scale, TFloat Offset) Run<TLanes, TFloat, TInt>(byte* block, int row, int run)
        where TLanes : ILanes<TFloat, TInt>
        where TFloat : unmanaged
        where TInt : unmanaged =>
        BlockFields<TLanes, TFloat, TInt>.KRun(block, row, run);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TFloat Code<TLanes, TFloat, TInt>(byte* block, int row, int run, int i)
        where TLanes : ILanes<TFloat, TInt>
        where TFloat : unmanaged
        where TInt : unmanaged =>
        TLanes.ToSingle(BlockFields<TLanes, TFloat, TInt>.FiveBits(block, row, 48 + 32 * (run / 2) + i, run % 2, 16 + i, run));
}

/// <summary>low nibbles [128], high pairs of bits [64], scales i8 [16], d f16.</summary>
internal readonly unsafe struct Q6KBlocks : IBlockFormat
{
    public static WeightFormat Format => WeightFormat.Q6K;

    public static int RunLength => 16;

    public static bool HasOffset => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (TFloat Scale, TFloat Offset) Run<TLanes, TFloat, TInt>(byte* block, int row, int run)
        where TLanes : ILanes<TFloat, TInt>
        where TFloat : unmanaged
        where TInt : unmanaged =>
        (
            TLanes.Multiply(BlockFields<TLanes, TFloat, TInt>.Half(block, row, 208), TLanes.ToSingle(TLanes.LoadSignedBytes(block + (192 + run) * Strip.Rows + row))),
            TLanes.Zero);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TFloat Code<TLanes, TFloat, TInt>(byte* block, int row, int run, int i)
        where TLanes : ILanes<TFloat, TInt>
        where TFloat : unmanaged
        where TInt : unmanaged =>
        BlockFields<TLanes, TFloat, TInt>.Less(
            TLanes.Or(
                BlockFields<TLanes, TFloat, TInt>.Nibbles(block, row, 64 * (run / 8) + 32 * (run / 2 % 2) + 16 * (run % 2) + i, run % 8 / 4),
                TLanes.ShiftLeft(TLanes.And(TLanes.ShiftRight(BlockFields<TLanes, TFloat, TInt>.Bytes(block, row, 128 + 32 * (run / 8) + 16 * (run % 2) + i), run % 8 / 2 * 2), 3), 4)),
            32);
}
