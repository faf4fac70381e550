using System.Runtime.CompilerServices;
using KvPareto.Engine.Cache;

namespace KvPareto.Cpu.Kernels;

/// <summary>
/// Strips (<see cref="Strip"/>) of codes, as <see cref="StripKernels{TFormat,TLanes,TFloat,TInt}"/>. Of each group of channels one fused
/// chain Σ q·x, then + s·Σ q·x + (−z·s)·Σ x, fused, in the groups' order: a code takes one multiplication less than decoded by itself.
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
    private const int MostGroups = Strip.BlockChannels / CodeFormats.LeastGroup;
    private const int LaterVectors = 6; // scales, offsets and sums of a group's lower and upper rows

    /// <summary>The kernels.</summary>
    public static readonly StripKernel Kernel =
        StripKernel.Of<CodeKernels<TCodes, TLanes, TFloat, TInt>>(
            RowSums<TLanes, TFloat, TInt>.MaxRows, &ReadScales);

    /// <inheritdoc/>
    public static void Multiply<TRows>(CpuWeight weight, int strip, in StripInputs x, float* y, nint yStride)
        where TRows : struct, IConstant
    {
        for (var k = 0; k < weight.ColumnCount; k += Strip.BlockChannels)
        {
            var (address, stride) = weight.BlockAt(strip, k);
            var isPair = TRows.Value == 1 && stride > Line;
            var inputs = new StripInputs(x.X + k, x.Stride, x.Sums + k / weight.GroupSize, x.SumStride);
            for (var row = 0; row < Strip.HalfRows; row += TLanes.Width)
            {
                var lines = (byte*)address + row * sizeof(int);
                if (isPair) MultiplyPair(lines, inputs.X, inputs.Sums, weight.GroupSize, y + row, k > 0);
                else
                    MultiplyBlock<TRows>(
                        lines, stride, inputs, Math.Min(Strip.BlockChannels, weight.ColumnCount - k), weight.GroupSize, y + row, yStride,
                        k > 0);
            }
            if (isPair) k += Strip.BlockChannels;
        }
    }

    /// <summary>Writes codes as floats: scales are apart (<see cref="ReadScales"/>).</summary>
    public static void Unpack(CpuWeight weight, int strip, int channel, int channels, float* panel)
    {
        var (address, stride) = weight.BlockAt(strip, channel);
        for (var row = 0; row < Strip.HalfRows; row += TLanes.Width)
            UnpackBlock((byte*)address + row * sizeof(int), stride, channels, weight.GroupSize, panel + row);
    }

    /// <summary>Writes the scales and offsets of a block that begins at a channel into 32 columns of those of a panel
    /// (<see cref="PanelGroups"/>).</summary>
    public static void ReadScales(CpuWeight weight, int strip, int channel, int channels, float* scales)
    {
        var (address, stride) = weight.BlockAt(strip, channel);
        var lines = (byte*)address;
        for (; channels > 0; channels -= weight.GroupSize, scales += PanelGroups.ScaleFloats)
        {
            for (var row = 0; row < Strip.HalfRows; row += TLanes.Width)
            {
                var (low, high) = Groups(lines + row * sizeof(int), stride);
                TLanes.Store(low.Scale, scales + row);
                TLanes.Store(high.Scale, scales + Strip.HalfRows + row);
                TLanes.Store(low.Offset, scales + MicroKernel.Columns + row);
                TLanes.Store(high.Offset, scales + MicroKernel.Columns + Strip.HalfRows + row);
            }
            lines += (Strip.MetaLines + weight.GroupSize / TCodes.LineChannels) * stride;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void UnpackBlock(byte* lines, nint stride, int channels, int groupSize, float* panel)
    {
        for (; channels > 0; channels -= groupSize)
        {
            lines += Strip.MetaLines * stride;
            for (var end = panel + groupSize * MicroKernel.Columns; panel < end; lines += stride)
            {
                var codes = TLanes.LoadIntegers((int*)lines);
                for (var i = 0; i < TCodes.LineChannels; i++, panel += MicroKernel.Columns)
                {
                    TLanes.Store(TLanes.SignedCode(codes, 0, TCodes.Bits), panel);
                    TLanes.Store(TLanes.SignedCode(codes, TCodes.Bits, TCodes.Bits), panel + Strip.HalfRows);
                    codes = TLanes.ShiftRight(codes, 2 * TCodes.Bits);
                }
            }
        }
    }

    // y = or += the block · x, [TRows, channels].
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void MultiplyBlock<TRows>(
        byte* lines, nint stride, in StripInputs inputs, int channels, int groupSize, float* y, nint yStride, bool accumulate)
        where TRows : struct, IConstant
    {
        float* x = inputs.X, xSums = inputs.Sums;
        for (var end = x + channels; x < end; xSums++, accumulate = true)
        {
            var sums = default(RowSums<TLanes, TFloat, TInt>);
            var metas = lines;
            lines += Strip.MetaLines * stride;
            for (var groupEnd = x + groupSize; x < groupEnd; lines += stride)
            {
                Prefetch.Lines(lines + Strip.PrefetchBytes, Line);
                var codes = TLanes.LoadIntegers((int*)lines);
                for (var lineEnd = x + TCodes.LineChannels; x < lineEnd; x++, codes = TLanes.ShiftRight(codes, 2 * TCodes.Bits))
                    sums.Add<TRows>(
                        x, inputs.Stride, TLanes.SignedCode(codes, 0, TCodes.Bits), TLanes.SignedCode(codes, TCodes.Bits, TCodes.Bits));
            }
            var (low, high) = Groups(metas, stride);
            sums.Finish<TRows>(xSums, inputs.SumStride, low, high, y, yStride, accumulate);
        }
    }

    // Both blocks of a pair. Four chains hide the latency of the additions; what the second block's groups add waits for the first's.
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    [SkipLocalsInit]
    private static void MultiplyPair(byte* lines, float* x, float* xSums, int groupSize, float* y, bool accumulate)
    {
        var later = stackalloc TFloat[MostGroups * LaterVectors];
        var next = later;
        var (low, high) = accumulate ? (TLanes.Load(y), TLanes.Load(y + Strip.HalfRows)) : (TLanes.Zero, TLanes.Zero);
        for (var end = x + Strip.BlockChannels; x < end; next += LaterVectors)
        {
            var metas = lines;
            var (low0, high0, low1, high1) = (TLanes.Zero, TLanes.Zero, TLanes.Zero, TLanes.Zero);
            lines += 2 * Strip.MetaLines * Line;
            for (var groupEnd = x + groupSize; x < groupEnd; x += TCodes.LineChannels, lines += 2 * Line)
            {
                Prefetch.Lines(lines + Strip.PrefetchBytes, 2 * Line);
                // Written out: as a loop over channels it takes a tenth longer.
                var (codes0, codes1) = (TLanes.LoadIntegers((int*)lines), TLanes.LoadIntegers((int*)(lines + Line)));
                var second = x + Strip.BlockChannels;
                AddChannel(codes0, 0, x[0], ref low0, ref high0);
                AddChannel(codes1, 0, second[0], ref low1, ref high1);
                AddChannel(codes0, 1, x[1], ref low0, ref high0);
                AddChannel(codes1, 1, second[1], ref low1, ref high1);
                if (TCodes.LineChannels == 2) continue;
                AddChannel(codes0, 2, x[2], ref low0, ref high0);
                AddChannel(codes1, 2, second[2], ref low1, ref high1);
                AddChannel(codes0, 3, x[3], ref low0, ref high0);
                AddChannel(codes1, 3, second[3], ref low1, ref high1);
            }
            // The lines of the blocks alternate.
            var ((scale0, offset0), (scale1, offset1)) = Groups(metas, 2 * Line);
            var sum = TLanes.Broadcast(*xSums++);
            low = TLanes.MultiplyAdd(offset0, sum, TLanes.MultiplyAdd(scale0, low0, low));
            high = TLanes.MultiplyAdd(offset1, sum, TLanes.MultiplyAdd(scale1, high0, high));
            ((next[0], next[1]), (next[2], next[3])) = Groups(metas + Line, 2 * Line);
            (next[4], next[5]) = (low1, high1);
        }
        for (var group = later; group < next; group += LaterVectors)
        {
            var sum = TLanes.Broadcast(*xSums++);
            low = TLanes.MultiplyAdd(group[1], sum, TLanes.MultiplyAdd(group[0], group[4], low));
            high = TLanes.MultiplyAdd(group[3], sum, TLanes.MultiplyAdd(group[2], group[5], high));
        }
        TLanes.Store(low, y);
        TLanes.Store(high, y + Strip.HalfRows);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddChannel(TInt codes, int channel, float x, ref TFloat low, ref TFloat high)
    {
        var value = TLanes.Broadcast(x);
        low = TLanes.MultiplyAdd(value, TLanes.SignedCode(codes, 2 * channel * TCodes.Bits, TCodes.Bits), low);
        high = TLanes.MultiplyAdd(value, TLanes.SignedCode(codes, (2 * channel + 1) * TCodes.Bits, TCodes.Bits), high);
    }

    // Of a group's lower and upper rows.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ((TFloat Scale, TFloat Offset) Low, (TFloat Scale, TFloat Offset) High) Groups(byte* metas, nint stride) =>
        (TLanes.Groups((GroupMeta*)metas), TLanes.Groups((GroupMeta*)(metas + stride)));
}
