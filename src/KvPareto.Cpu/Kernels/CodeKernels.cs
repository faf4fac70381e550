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
            lines += weight.GroupSize / TCodes.LineChannels * stride;
            for (var row = 0; row < Strip.HalfRows; row += TLanes.Width)
            {
                var (low, high) = Groups(lines + row * sizeof(int), stride);
                TLanes.Store(low.Scale, scales + row);
                TLanes.Store(high.Scale, scales + Strip.HalfRows + row);
                TLanes.Store(low.Offset, scales + MicroKernel.Columns + row);
                TLanes.Store(high.Offset, scales + MicroKernel.Columns + Strip.HalfRows + row);
            }
            lines += Strip.MetaLines * stride;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void UnpackBlock(byte* lines, nint stride, int channels, int groupSize, float* panel)
    {
        var decoder = TLanes.Decoder(TCodes.Bits);
        for (; channels > 0; channels -= groupSize, lines += Strip.MetaLines * stride)
            for (var end = panel + groupSize * MicroKernel.Columns; panel < end; lines += stride)
                for (var channel = 0; channel < TCodes.LineChannels; channel++, panel += MicroKernel.Columns)
                {
                    var (low, high) = Load(lines, channel, decoder);
                    TLanes.Store(low, panel);
                    TLanes.Store(high, panel + Strip.HalfRows);
                }
    }

    // y = or += the block · x, [TRows, channels].
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void MultiplyBlock<TRows>(
        byte* lines, nint stride, in StripInputs inputs, int channels, int groupSize, float* y, nint yStride, bool accumulate)
        where TRows : struct, IConstant
    {
        float* x = inputs.X, xSums = inputs.Sums;
        var decoder = TLanes.Decoder(TCodes.Bits);
        for (var end = x + channels; x < end; xSums++, accumulate = true)
        {
            var sums = default(RowSums<TLanes, TFloat, TInt>);
            for (var groupEnd = x + groupSize; x < groupEnd; lines += stride)
            {
                Prefetch.Ahead(lines, Line);
                for (var channel = 0; channel < TCodes.LineChannels; channel++, x++)
                {
                    var (low, high) = Load(lines, channel, decoder);
                    sums.Add<TRows>(x, inputs.Stride, low, high);
                }
            }
            var (lowGroups, highGroups) = Groups(lines, stride);
            sums.Finish<TRows>(xSums, inputs.SumStride, lowGroups, highGroups, y, yStride, accumulate);
            lines += Strip.MetaLines * stride;
        }
    }

    // Both blocks of a pair: the sums of all groups, of which no one waits for another, and then y.
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    [SkipLocalsInit]
    private static void MultiplyPair(byte* lines, float* x, float* xSums, int groupSize, float* y, bool accumulate)
    {
        var sums = stackalloc TFloat[2 * MostGroups * 2]; // [groups, blocks, lower and upper rows]
        var groups = Strip.BlockChannels / groupSize;
        nint metas = groupSize / TCodes.LineChannels * (2 * Line), groupBytes = metas + Strip.MetaLines * (2 * Line);
        if (groups == 1) SumGroups<Constant1>(lines, groupBytes, x, groupSize, sums);
        for (var group = 0; group < groups - 1; group += 2)
            SumGroups<Constant2>(lines + group * groupBytes, groupBytes, x + group * groupSize, groupSize, sums + 4 * group);
        var (low, high) = accumulate ? (TLanes.Load(y), TLanes.Load(y + Strip.HalfRows)) : (TLanes.Zero, TLanes.Zero);
        for (var block = 0; block < 2; block++)
            for (var group = 0; group < groups; group++)
            {
                var ((scale0, offset0), (scale1, offset1)) = Groups(lines + group * groupBytes + metas + block * Line, 2 * Line);
                var sum = TLanes.Broadcast(*xSums++);
                low = TLanes.MultiplyAdd(offset0, sum, TLanes.MultiplyAdd(scale0, sums[4 * group + 2 * block], low));
                high = TLanes.MultiplyAdd(offset1, sum, TLanes.MultiplyAdd(scale1, sums[4 * group + 2 * block + 1], high));
            }
        TLanes.Store(low, y);
        TLanes.Store(high, y + Strip.HalfRows);
    }

    // Sums [TGroups, blocks, lower and upper rows] of one or two groups of both blocks; of two, eight chains hide the latency of the
    // additions.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void SumGroups<TGroups>(byte* lines, nint groupBytes, float* x, int groupSize, TFloat* sums)
        where TGroups : struct, IConstant
    {
        var decoder = TLanes.Decoder(TCodes.Bits);
        var (low00, high00, low01, high01) = (TLanes.Zero, TLanes.Zero, TLanes.Zero, TLanes.Zero);
        var (low10, high10, low11, high11) = (TLanes.Zero, TLanes.Zero, TLanes.Zero, TLanes.Zero);
        for (var end = x + groupSize; x < end; x += TCodes.LineChannels, lines += 2 * Line)
        {
            Prefetch.Stream(lines, 2 * Line);
            AddLine(lines, x, decoder, ref low00, ref high00);
            AddLine(lines + Line, x + Strip.BlockChannels, decoder, ref low01, ref high01);
            if (TGroups.Value == 1) continue;
            Prefetch.Stream(lines + groupBytes, 2 * Line);
            AddLine(lines + groupBytes, x + groupSize, decoder, ref low10, ref high10);
            AddLine(lines + groupBytes + Line, x + groupSize + Strip.BlockChannels, decoder, ref low11, ref high11);
        }
        (sums[0], sums[1], sums[2], sums[3]) = (low00, high00, low01, high01);
        if (TGroups.Value == 1) return;
        (sums[4], sums[5], sums[6], sums[7]) = (low10, high10, low11, high11);
    }

    // Written out: as a loop over channels it takes a tenth longer.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddLine(byte* line, float* x, TFloat decoder, ref TFloat low, ref TFloat high)
    {
        AddChannel(line, 0, x, decoder, ref low, ref high);
        AddChannel(line, 1, x, decoder, ref low, ref high);
        if (TCodes.LineChannels == 2) return;
        AddChannel(line, 2, x, decoder, ref low, ref high);
        AddChannel(line, 3, x, decoder, ref low, ref high);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddChannel(byte* line, int channel, float* x, TFloat decoder, ref TFloat low, ref TFloat high)
    {
        var (lowCodes, highCodes) = Load(line, channel, decoder);
        var value = TLanes.Broadcast(x[channel]);
        low = TLanes.MultiplyAdd(value, lowCodes, low);
        high = TLanes.MultiplyAdd(value, highCodes, high);
    }

    // A channel's codes of the lower and the upper rows. What begins at a byte is loaded from there: the units that shift are busier than
    // those that load. A line's last dword is read beyond its end, where scales follow.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (TFloat Low, TFloat High) Load(byte* line, int channel, TFloat decoder)
    {
        line += channel * 2 * TCodes.Bits / 8;
        var codes = TLanes.LoadIntegers((int*)line);
        var high = TCodes.Bits == 8 ? TLanes.LoadIntegers((int*)(line + 1)) : TLanes.ShiftRight(codes, TCodes.Bits);
        return (TLanes.Decode(codes, TCodes.Bits, decoder), TLanes.Decode(high, TCodes.Bits, decoder));
    }

    // Of a group's lower and upper rows.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ((TFloat Scale, TFloat Offset) Low, (TFloat Scale, TFloat Offset) High) Groups(byte* metas, nint stride) =>
        (TLanes.Groups((GroupMeta*)metas), TLanes.Groups((GroupMeta*)(metas + stride)));
}
