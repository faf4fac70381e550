using System.Runtime.CompilerServices;

namespace KvPareto.Cpu.Kernels;

/// <summary>
/// Sums of a few rows of x with 2·<c>Width</c> output rows of a strip: a vector of the strip's lower and one of its upper rows for each row
/// of x, one fused chain each. All of them stay in registers.
/// </summary>
/// <typeparam name="TLanes">Vector width.</typeparam>
/// <typeparam name="TFloat">Its floats.</typeparam>
/// <typeparam name="TInt">Its integers.</typeparam>
internal unsafe struct RowSums<TLanes, TFloat, TInt>
    where TLanes : ILanes<TFloat, TInt>
    where TFloat : unmanaged
    where TInt : unmanaged
{
    private TFloat _low0, _low1, _low2, _low3, _low4, _low5, _low6, _low7;
    private TFloat _high0, _high1, _high2, _high3, _high4, _high5, _high6, _high7;

    /// <summary>Most rows of x: of AVX-512's 32 registers 16 are sums then, of AVX2's 16 12.</summary>
    public static int MaxRows
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => TLanes.Width == 16 ? 8 : 6;
    }

    /// <summary>Adds x[r]·w of one channel, x [TRows] with a stride.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add<TRows>(float* x, nint stride, TFloat low, TFloat high) where TRows : struct, IConstant
    {
        Add(x[0], low, high, ref _low0, ref _high0);
        if (TRows.Value > 1) Add(x[stride], low, high, ref _low1, ref _high1);
        if (TRows.Value > 2) Add(x[2 * stride], low, high, ref _low2, ref _high2);
        if (TRows.Value > 3) Add(x[3 * stride], low, high, ref _low3, ref _high3);
        if (TRows.Value > 4) Add(x[4 * stride], low, high, ref _low4, ref _high4);
        if (TRows.Value > 5) Add(x[5 * stride], low, high, ref _low5, ref _high5);
        if (TRows.Value > 6) Add(x[6 * stride], low, high, ref _low6, ref _high6);
        if (TRows.Value > 7) Add(x[7 * stride], low, high, ref _low7, ref _high7);
    }

    /// <summary>y = or += the sums: y [TRows, 32] with a stride.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void Store<TRows>(float* y, nint stride, bool accumulate) where TRows : struct, IConstant
    {
        Store(_low0, _high0, y, accumulate);
        if (TRows.Value > 1) Store(_low1, _high1, y + stride, accumulate);
        if (TRows.Value > 2) Store(_low2, _high2, y + 2 * stride, accumulate);
        if (TRows.Value > 3) Store(_low3, _high3, y + 3 * stride, accumulate);
        if (TRows.Value > 4) Store(_low4, _high4, y + 4 * stride, accumulate);
        if (TRows.Value > 5) Store(_low5, _high5, y + 5 * stride, accumulate);
        if (TRows.Value > 6) Store(_low6, _high6, y + 6 * stride, accumulate);
        if (TRows.Value > 7) Store(_low7, _high7, y + 7 * stride, accumulate);
    }

    /// <summary>y = or += scale · the sums + offset · Σx of a group, fused: y [TRows, 32] with a stride, x's sums [TRows] with
    /// one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void Finish<TRows>(
        float* x, nint xStride, (TFloat Scale, TFloat Offset) low, (TFloat Scale, TFloat Offset) high, float* y, nint yStride,
        bool accumulate)
        where TRows : struct, IConstant
    {
        Finish(_low0, _high0, x[0], low, high, y, accumulate);
        if (TRows.Value > 1) Finish(_low1, _high1, x[xStride], low, high, y + yStride, accumulate);
        if (TRows.Value > 2) Finish(_low2, _high2, x[2 * xStride], low, high, y + 2 * yStride, accumulate);
        if (TRows.Value > 3) Finish(_low3, _high3, x[3 * xStride], low, high, y + 3 * yStride, accumulate);
        if (TRows.Value > 4) Finish(_low4, _high4, x[4 * xStride], low, high, y + 4 * yStride, accumulate);
        if (TRows.Value > 5) Finish(_low5, _high5, x[5 * xStride], low, high, y + 5 * yStride, accumulate);
        if (TRows.Value > 6) Finish(_low6, _high6, x[6 * xStride], low, high, y + 6 * yStride, accumulate);
        if (TRows.Value > 7) Finish(_low7, _high7, x[7 * xStride], low, high, y + 7 * yStride, accumulate);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Finish(
        TFloat lowSum, TFloat highSum, float x, (TFloat Scale, TFloat Offset) low, (TFloat Scale, TFloat Offset) high, float* y,
        bool accumulate)
    {
        var value = TLanes.Broadcast(x);
        var (before0, before1) = accumulate ? (TLanes.Load(y), TLanes.Load(y + Strip.HalfRows)) : (TLanes.Zero, TLanes.Zero);
        TLanes.Store(TLanes.MultiplyAdd(low.Offset, value, TLanes.MultiplyAdd(low.Scale, lowSum, before0)), y);
        TLanes.Store(TLanes.MultiplyAdd(high.Offset, value, TLanes.MultiplyAdd(high.Scale, highSum, before1)), y + Strip.HalfRows);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add(float x, TFloat low, TFloat high, ref TFloat lowSum, ref TFloat highSum)
    {
        var value = TLanes.Broadcast(x);
        lowSum = TLanes.MultiplyAdd(value, low, lowSum);
        highSum = TLanes.MultiplyAdd(value, high, highSum);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(TFloat low, TFloat high, float* y, bool accumulate)
    {
        TLanes.Store(accumulate ? TLanes.Add(TLanes.Load(y), low) : low, y);
        TLanes.Store(accumulate ? TLanes.Add(TLanes.Load(y + Strip.HalfRows), high) : high, y + Strip.HalfRows);
    }
}
