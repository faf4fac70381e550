using System.Runtime.CompilerServices;
using KvPareto.Engine.Cache;

namespace KvPareto.Cpu.Kernels;

/// <summary>
/// Strips (<see cref="Strip"/>) of codes, as <see cref="StripKernels{TFormat,TLanes,TFloat,TInt}"/>. A code is decoded as q·s + (−z·s),
/// fused: the codec's own (q − z)·s exactly as long as |z| &lt; 2^13, within one rounding else.
/// </summary>
/// <typeparam name="TCodes">Codes.</typeparam>
/// <typeparam name="TLanes">Vector width.</typeparam>
/// <typeparam name="TFloat">Its floats.</typeparam>
/// <typeparam name="TInt">Its integers.</typeparam>
internal readonly unsafe struct CodeKernels<TCodes, TLanes, TFloat, TInt> : IStripKernels
    where TCodes : struct, ICodeFormat
    where TLanes : ILanes<TFloat, TInt>
    where TFloat : unmanaged
    where TInt : unmanaged
{
    private const int Line = Strip.Rows * CodeFormats.RowBits / 8; // bytes

    /// <summary>The kernels.</summary>
    public static readonly StripKernel Kernel =
        StripKernel.Of<CodeKernels<TCodes, TLanes, TFloat, TInt>>(RowSums<TLanes, TFloat, TInt>.MaxRows);

    /// <inheritdoc/>
    public static void Multiply<TRows>(CpuWeight weight, int strip, float* x, nint xStride, float* y, nint yStride)
        where TRows : struct, IConstant
    {
        for (var k = 0; k < weight.ColumnCount; k += Strip.BlockChannels)
        {
            var (address, stride) = weight.BlockAt(strip, k);
            var isPair = TRows.Value == 1 && stride > Line;
            for (var row = 0; row < Strip.HalfRows; row += TLanes.Width)
            {
                var lines = (byte*)address + row * sizeof(int);
                if (isPair) MultiplyPair(lines, x + k, weight.GroupSize, y + row, k > 0);
                else
                    MultiplyBlock<TRows>(
                        lines, stride, x + k, xStride, Math.Min(Strip.BlockChannels, weight.ColumnCount - k), weight.GroupSize, y + row,
                            yStride, k > 0);
            }
            if (isPair) k += Strip.BlockChannels;
        }
    }

    /// <inheritdoc/>
    public static void Unpack(CpuWeight weight, int strip, int channel, int channels, float* panel)
    {
        var (address, stride) = weight.BlockAt(strip, channel);
        for (var row = 0; row < Strip.HalfRows; row += TLanes.Width)
            UnpackBlock((byte*)address + row * sizeof(int), stride, channels, weight.GroupSize, panel + row);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void UnpackBlock(byte* lines, nint stride, int channels, int groupSize, float* panel)
    {
        for (; channels > 0; channels -= groupSize)
        {
            var (scale0, offset0) = TLanes.Groups((GroupMeta*)lines);
            var (scale1, offset1) = TLanes.Groups((GroupMeta*)(lines + stride));
            lines += Strip.MetaLines * stride;
            for (var end = panel + groupSize * MicroKernel.Columns; panel < end; lines += stride)
            {
                var codes = TLanes.LoadIntegers((int*)lines);
                for (var i = 0; i < TCodes.LineChannels; i++, panel += MicroKernel.Columns)
                {
                    TLanes.Store(Decode(codes, 0, scale0, offset0), panel);
                    TLanes.Store(Decode(codes, TCodes.Bits, scale1, offset1), panel + Strip.HalfRows);
                    codes = TLanes.ShiftRight(codes, 2 * TCodes.Bits);
                }
            }
        }
    }

    // y = or += the block · x, [TRows, channels].
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MultiplyBlock<TRows>(
        byte* lines, nint stride, float* x, nint xStride, int channels, int groupSize, float* y, nint yStride, bool accumulate)
        where TRows : struct, IConstant
    {
        var sums = default(RowSums<TLanes, TFloat, TInt>);
        for (var end = x + channels; x < end;)
        {
            var (scale0, offset0) = TLanes.Groups((GroupMeta*)lines);
            var (scale1, offset1) = TLanes.Groups((GroupMeta*)(lines + stride));
            lines += Strip.MetaLines * stride;
            for (var groupEnd = x + groupSize; x < groupEnd; lines += stride)
            {
                Prefetch.Lines(lines + Strip.PrefetchBytes, Line);
                var codes = TLanes.LoadIntegers((int*)lines);
                for (var lineEnd = x + TCodes.LineChannels; x < lineEnd; x++, codes = TLanes.ShiftRight(codes, 2 * TCodes.Bits))
                    sums.Add<TRows>(x, xStride, Decode(codes, 0, scale0, offset0), Decode(codes, TCodes.Bits, scale1, offset1));
            }
        }
        sums.Store<TRows>(y, yStride, accumulate);
    }

    // Both blocks of a pair, in their order. Four chains hide the latency of the additions.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MultiplyPair(byte* lines, float* x, int groupSize, float* y, bool accumulate)
    {
        var (low0, high0, low1, high1) = (TLanes.Zero, TLanes.Zero, TLanes.Zero, TLanes.Zero);
        for (var end = x + Strip.BlockChannels; x < end;)
        {
            var (scale0, offset0) = TLanes.Groups((GroupMeta*)lines);
            var (scale2, offset2) = TLanes.Groups((GroupMeta*)(lines + Line));
            var (scale1, offset1) = TLanes.Groups((GroupMeta*)(lines + 2 * Line));
            var (scale3, offset3) = TLanes.Groups((GroupMeta*)(lines + 3 * Line));
            lines += 2 * Strip.MetaLines * Line;
            for (var groupEnd = x + groupSize; x < groupEnd; x += TCodes.LineChannels, lines += 2 * Line)
            {
                Prefetch.Lines(lines + Strip.PrefetchBytes, 2 * Line);
                // Written out: as a loop over channels it takes a tenth longer.
                var (codes0, codes1) = (TLanes.LoadIntegers((int*)lines), TLanes.LoadIntegers((int*)(lines + Line)));
                var next = x + Strip.BlockChannels;
                AddChannel(codes0, 0, x[0], scale0, offset0, scale1, offset1, ref low0, ref high0);
                AddChannel(codes1, 0, next[0], scale2, offset2, scale3, offset3, ref low1, ref high1);
                AddChannel(codes0, 1, x[1], scale0, offset0, scale1, offset1, ref low0, ref high0);
                AddChannel(codes1, 1, next[1], scale2, offset2, scale3, offset3, ref low1, ref high1);
                if (TCodes.LineChannels == 2) continue;
                AddChannel(codes0, 2, x[2], scale0, offset0, scale1, offset1, ref low0, ref high0);
                AddChannel(codes1, 2, next[2], scale2, offset2, scale3, offset3, ref low1, ref high1);
                AddChannel(codes0, 3, x[3], scale0, offset0, scale1, offset1, ref low0, ref high0);
                AddChannel(codes1, 3, next[3], scale2, offset2, scale3, offset3, ref low1, ref high1);
            }
        }
        TLanes.Store(TLanes.Add(accumulate ? TLanes.Add(TLanes.Load(y), low0) : low0, low1), y);
        TLanes.Store(TLanes.Add(accumulate ? TLanes.Add(TLanes.Load(y + Strip.HalfRows), high0) : high0, high1), y + Strip.HalfRows);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddChannel(
        TInt codes, int channel, float x, TFloat scale0, TFloat offset0, TFloat scale1, TFloat offset1, ref TFloat low, ref TFloat high)
    {
        var value = TLanes.Broadcast(x);
        low = TLanes.MultiplyAdd(value, Decode(codes, 2 * channel * TCodes.Bits, scale0, offset0), low);
        high = TLanes.MultiplyAdd(value, Decode(codes, (2 * channel + 1) * TCodes.Bits, scale1, offset1), high);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TFloat Decode(TInt codes, int place, TFloat scale, TFloat offset) =>
        TLanes.MultiplyAdd(TLanes.SignedCode(codes, place, TCodes.Bits), scale, offset);
}
