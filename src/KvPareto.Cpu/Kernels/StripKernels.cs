using System.Runtime.CompilerServices;

namespace KvPareto.Cpu.Kernels;

/// <summary>
/// Strips (<see cref="Strip"/>) of unscaled elements, once for all formats and vector widths. A lane is a row; all 32 rows of a channel are
/// done at once, by two vectors of AVX-512 or four of AVX2.
/// </summary>
/// <typeparam name="TFormat">Elements.</typeparam>
/// <typeparam name="TLanes">Vector width.</typeparam>
/// <typeparam name="TFloat">Its floats.</typeparam>
/// <typeparam name="TInt">Its integers.</typeparam>
internal readonly unsafe struct StripKernels<TFormat, TLanes, TFloat, TInt> : IStripKernels
    where TFormat : struct, IElementFormat
    where TLanes : ILanes<TFloat, TInt>
    where TFloat : unmanaged
    where TInt : unmanaged
{
    // Whether a second vector of the lower and of the upper rows is done with the first.
    private static bool HasSecond
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => TLanes.Width < Strip.HalfRows;
    }

    /// <summary>The kernels.</summary>
    public static readonly StripKernel Kernel =
        StripKernel.Of<StripKernels<TFormat, TLanes, TFloat, TInt>>(RowSums<TLanes, TFloat, TInt>.MaxRows);

    /// <inheritdoc/>
    public static void Multiply<TRows>(CpuWeight weight, int strip, in StripInputs x, float* y, nint yStride)
        where TRows : struct, IConstant
    {
        for (var k = 0; k < weight.ColumnCount; k += Strip.BlockChannels)
        {
            var (address, stride) = weight.BlockAt(strip, k);
            var isPair = TRows.Value == 1 && stride > TFormat.LineBytes;
            for (var row = 0; row < Strip.HalfRows; row += isPair && HasSecond ? 2 * TLanes.Width : TLanes.Width)
            {
                if (isPair) MultiplyPair((byte*)address, row, x.X + k, y + row, k > 0);
                else
                    MultiplyBlock<TRows>(
                        (byte*)address, stride, row, x.X + k, x.Stride, Math.Min(Strip.BlockChannels, weight.ColumnCount - k), y + row,
                            yStride, k > 0);
            }
            if (isPair) k += Strip.BlockChannels;
        }
    }

    /// <inheritdoc/>
    public static void Unpack(CpuWeight weight, int strip, int channel, int channels, float* panel)
    {
        var (address, stride) = weight.BlockAt(strip, channel);
        UnpackBlock((byte*)address, stride, channels, panel);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void UnpackBlock(byte* lines, nint stride, int channels, float* panel)
    {
        for (var end = panel + channels * MicroKernel.Columns; panel < end; panel += MicroKernel.Columns, lines += stride)
            for (var row = 0; row < Strip.HalfRows; row += TLanes.Width)
            {
                var (low, high) = TFormat.Load<TLanes, TFloat, TInt>(lines, row);
                TLanes.Store(low, panel + row);
                TLanes.Store(high, panel + Strip.HalfRows + row);
            }
    }

    // y = or += the block · x, [TRows, channels].
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void MultiplyBlock<TRows>(
        byte* lines, nint stride, int row, float* x, nint xStride, int channels, float* y, nint yStride, bool accumulate)
        where TRows : struct, IConstant
    {
        var sums = default(RowSums<TLanes, TFloat, TInt>);
        for (var end = x + channels; x < end; x++, lines += stride)
        {
            Prefetch.Ahead(lines, (int)stride);
            var (low, high) = TFormat.Load<TLanes, TFloat, TInt>(lines, row);
            sums.Add<TRows>(x, xStride, low, high);
        }
        sums.Store<TRows>(y, yStride, accumulate);
    }

    // Both blocks of a pair, in their order. Four chains or more hide the latency of the additions.
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void MultiplyPair(byte* lines, int row, float* x, float* y, bool accumulate)
    {
        var (low0, high0, nextLow0, nextHigh0) = (TLanes.Zero, TLanes.Zero, TLanes.Zero, TLanes.Zero);
        var (low1, high1, nextLow1, nextHigh1) = (TLanes.Zero, TLanes.Zero, TLanes.Zero, TLanes.Zero);
        for (var end = x + Strip.BlockChannels; x < end; x++, lines += 2 * TFormat.LineBytes)
        {
            Prefetch.Stream(lines, 2 * TFormat.LineBytes);
            var xk = TLanes.Broadcast(x[0]);
            Step(lines, row, xk, ref low0, ref high0);
            if (HasSecond) Step(lines, row + TLanes.Width, xk, ref nextLow0, ref nextHigh0);
            xk = TLanes.Broadcast(x[Strip.BlockChannels]);
            Step(lines + TFormat.LineBytes, row, xk, ref low1, ref high1);
            if (HasSecond) Step(lines + TFormat.LineBytes, row + TLanes.Width, xk, ref nextLow1, ref nextHigh1);
        }
        Sum(low0, low1, y, accumulate);
        Sum(high0, high1, y + Strip.HalfRows, accumulate);
        if (!HasSecond) return;
        Sum(nextLow0, nextLow1, y + TLanes.Width, accumulate);
        Sum(nextHigh0, nextHigh1, y + Strip.HalfRows + TLanes.Width, accumulate);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Step(byte* line, int row, TFloat x, ref TFloat low, ref TFloat high)
    {
        var (w0, w1) = TFormat.Load<TLanes, TFloat, TInt>(line, row);
        low = TLanes.MultiplyAdd(x, w0, low);
        high = TLanes.MultiplyAdd(x, w1, high);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Sum(TFloat first, TFloat second, float* y, bool accumulate) =>
        TLanes.Store(TLanes.Add(accumulate ? TLanes.Add(TLanes.Load(y), first) : first, second), y);
}
