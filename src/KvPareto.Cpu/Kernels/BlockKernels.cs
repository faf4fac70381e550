using System.Runtime.CompilerServices;

namespace KvPareto.Cpu.Kernels;

/// <summary>Strips of ggml's blocks (<see cref="IBlockFormat"/>), written once for all formats and vector widths.</summary>
/// <typeparam name="TFormat">Format of the blocks.</typeparam>
/// <typeparam name="TLanes">Vector width.</typeparam>
/// <typeparam name="TFloat">Vector of floats.</typeparam>
/// <typeparam name="TInt">Vector of integers.</typeparam>
internal readonly unsafe struct BlockKernels<TFormat, TLanes, TFloat, TInt> : IStripKernels
    where TFormat : struct, IBlockFormat
    where TLanes : ILanes<TFloat, TInt>
    where TFloat : unmanaged
    where TInt : unmanaged
{
    private const int LineChannels = 4;

    // Of each sub-block 32 scales and 32 offsets.
    private const int ScaleFloats = 2 * Strip.Rows;

    private static int ChunkScales
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Strip.BlockChannels / TFormat.SubBlockLength * ScaleFloats;
    }

    // Without the attribute the compiler calls it, and spills all vectors around the call.
    private static bool HasTops
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => TopBits > 0;
    }

    private static int LowBits
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => BlockLayout<TFormat>.LowBits;
    }

    private static int TopBits
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => BlockLayout<TFormat>.TopBits;
    }

    /// <summary>Bytes of four channels: of their low bits where codes have fewer than 8.</summary>
    private static int LineBytes
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => LineChannels * (TFormat.CodeBits == 8 ? Strip.Rows : Strip.HalfRows * LowBits / 4);
    }

    private static int BlockBytes
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => (TFormat.ScaleBytes + TFormat.Elements * TFormat.CodeBits / 8) * Strip.Rows;
    }

    /// <summary>The kernels.</summary>
    public static readonly StripKernel Kernel =
        StripKernel.Of<BlockKernels<TFormat, TLanes, TFloat, TInt>>(RowSums<TLanes, TFloat, TInt>.MaxRows);

    /// <inheritdoc/>
    public static void Unpack(CpuWeight weight, int strip, int channel, int channels, float* panel)
    {
        var blocks = (byte*)weight.BlockAt(strip, channel).Address;
        var scales = stackalloc float[ChunkScales];
        ReadScales(blocks, channels, scales);
        UnpackCodes(blocks, channels, scales, panel);
    }

    /// <inheritdoc/>
    public static void Multiply<TRows>(CpuWeight weight, int strip, in StripInputs x, float* y, nint yStride)
        where TRows : struct, IConstant
    {
        var blocks = weight.StripAt(strip);
        var channels = weight.ColumnCount;
        var scales = stackalloc float[2 * ChunkScales];
        for (var k = 0; k < channels; k += Strip.BlockChannels)
        {
            var isPair = TRows.Value == 1 && k + 2 * Strip.BlockChannels <= channels;
            var count = isPair ? 2 * Strip.BlockChannels : Math.Min(Strip.BlockChannels, channels - k);
            Prefetch.Ahead(blocks, count / TFormat.Elements * BlockBytes);
            ReadScales(blocks, count, scales);
            if (isPair) MultiplyPair(blocks, scales, x.X + k, y, k > 0);
            else MultiplyCodes<TRows>(blocks, count, scales, x.X + k, x.Stride, y, yStride, k > 0);
            blocks += count / TFormat.Elements * BlockBytes;
            if (isPair) k += Strip.BlockChannels;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void ReadScales(byte* blocks, int channels, float* scales)
    {
        for (var end = blocks + channels / TFormat.Elements * BlockBytes; blocks < end; blocks += BlockBytes)
            for (var subBlock = 0; subBlock < TFormat.Elements / TFormat.SubBlockLength; subBlock++, scales += ScaleFloats)
                for (var row = 0; row < Strip.Rows; row += TLanes.Width)
                {
                    var (scale, offset) = TFormat.SubBlock<TLanes, TFloat, TInt>(blocks, row, subBlock);
                    TLanes.Store(scale, scales + row);
                    if (TFormat.HasOffset) TLanes.Store(offset, scales + Strip.Rows + row);
                }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void MultiplyCodes<TRows>(
        byte* blocks, int channels, float* scales, float* x, nint xStride, float* y, nint yStride, bool accumulate)
        where TRows : struct, IConstant
    {
        for (var row = 0; row < Strip.HalfRows; row += TLanes.Width)
        {
            var sums = default(RowSums<TLanes, TFloat, TInt>);
            var codes = FirstCodes(blocks, row);
            var scale = scales + row;
            var xi = x;
            for (var end = x + channels; xi < end; codes += BlockBytes)
            {
                var line = codes;
                var top = codes + BlockLayout<TFormat>.LowBytes;
                for (var blockEnd = xi + TFormat.Elements; xi < blockEnd; scale += ScaleFloats, top += Strip.Rows * LowBits)
                {
                    var (scale0, scale1) = (TLanes.Load(scale), TLanes.Load(scale + Strip.HalfRows));
                    var (offset0, offset1) = (TLanes.Load(scale + Strip.Rows), TLanes.Load(scale + Strip.Rows + Strip.HalfRows));
                    var (top0, top1) = (Top(top), Top(top + Strip.HalfRows * LowBits));
                    for (var subBlockEnd = xi + TFormat.SubBlockLength; xi < subBlockEnd; xi += LineChannels, line += LineBytes)
                    {
                        var nibbles = Nibbles(line);
                        for (var i = 0; i < LineChannels; i++)
                            sums.Add<TRows>(
                                xi + i, xStride, Value(line, nibbles, top0, 2 * i, scale0, offset0),
                                Value(line, nibbles, top1, 2 * i + 1, scale1, offset1));
                        (top0, top1) = (NextTop(top0), NextTop(top1));
                    }
                }
            }
            sums.Store<TRows>(y + row, yStride, accumulate);
        }
    }

    // Two chunks of 256 channels at once: four chains hide the latency of the additions.
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void MultiplyPair(byte* blocks, float* scales, float* x, float* y, bool accumulate)
    {
        nint other = Strip.BlockChannels / TFormat.Elements * BlockBytes;
        for (var row = 0; row < Strip.HalfRows; row += TLanes.Width)
        {
            var (low, high, otherLow, otherHigh) = (TLanes.Zero, TLanes.Zero, TLanes.Zero, TLanes.Zero);
            var codes = FirstCodes(blocks, row);
            var scale = scales + row;
            var xi = x;
            for (var end = x + Strip.BlockChannels; xi < end; codes += BlockBytes)
            {
                var line = codes;
                var top = codes + BlockLayout<TFormat>.LowBytes;
                for (var blockEnd = xi + TFormat.Elements; xi < blockEnd; scale += ScaleFloats, top += Strip.Rows * LowBits)
                {
                    var (scale0, scale1) = (TLanes.Load(scale), TLanes.Load(scale + Strip.HalfRows));
                    var (scale2, scale3) = (TLanes.Load(scale + ChunkScales), TLanes.Load(scale + ChunkScales + Strip.HalfRows));
                    var (offset0, offset1) = (TLanes.Load(scale + Strip.Rows), TLanes.Load(scale + Strip.Rows + Strip.HalfRows));
                    var (offset2, offset3) =
                        (TLanes.Load(scale + ChunkScales + Strip.Rows), TLanes.Load(scale + ChunkScales + Strip.Rows + Strip.HalfRows));
                    var (top0, top1) = (Top(top), Top(top + Strip.HalfRows * LowBits));
                    var (top2, top3) = (Top(top + other), Top(top + other + Strip.HalfRows * LowBits));
                    for (var subBlockEnd = xi + TFormat.SubBlockLength; xi < subBlockEnd; xi += LineChannels, line += LineBytes)
                    {
                        low = MultiplyLine(line, 0, xi, top0, scale0, offset0, low);
                        high = MultiplyLine(line, 1, xi, top1, scale1, offset1, high);
                        otherLow = MultiplyLine(line + other, 0, xi + Strip.BlockChannels, top2, scale2, offset2, otherLow);
                        otherHigh = MultiplyLine(line + other, 1, xi + Strip.BlockChannels, top3, scale3, offset3, otherHigh);
                        (top0, top1, top2, top3) = (NextTop(top0), NextTop(top1), NextTop(top2), NextTop(top3));
                    }
                }
            }
            Sum(low, y + row, accumulate);
            Sum(high, y + Strip.HalfRows + row, accumulate);
            Sum(otherLow, y + row, true);
            Sum(otherHigh, y + Strip.HalfRows + row, true);
        }
    }

    // Four channels of the lower (half 0) or upper rows, in order.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TFloat MultiplyLine(byte* line, int half, float* x, TInt top, TFloat scale, TFloat offset, TFloat sum)
    {
        var nibbles = Nibbles(line);
        sum = TLanes.MultiplyAdd(TLanes.Broadcast(x[0]), Value(line, nibbles, top, half, scale, offset), sum);
        sum = TLanes.MultiplyAdd(TLanes.Broadcast(x[1]), Value(line, nibbles, top, 2 + half, scale, offset), sum);
        sum = TLanes.MultiplyAdd(TLanes.Broadcast(x[2]), Value(line, nibbles, top, 4 + half, scale, offset), sum);
        return TLanes.MultiplyAdd(TLanes.Broadcast(x[3]), Value(line, nibbles, top, 6 + half, scale, offset), sum);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Sum(TFloat sum, float* y, bool accumulate) => TLanes.Store(accumulate ? TLanes.Add(TLanes.Load(y), sum) : sum, y);

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void UnpackCodes(byte* blocks, int channels, float* scales, float* panel)
    {
        for (var row = 0; row < Strip.HalfRows; row += TLanes.Width)
        {
            var codes = FirstCodes(blocks, row);
            var scale = scales + row;
            var target = panel + row;
            for (var end = target + channels * MicroKernel.Columns; target < end; codes += BlockBytes)
            {
                var line = codes;
                var top = codes + BlockLayout<TFormat>.LowBytes;
                for (var blockEnd = target + TFormat.Elements * MicroKernel.Columns; target < blockEnd;
                scale += ScaleFloats, top += Strip.Rows * LowBits)
                {
                    var (scale0, scale1) = (TLanes.Load(scale), TLanes.Load(scale + Strip.HalfRows));
                    var (offset0, offset1) = (TLanes.Load(scale + Strip.Rows), TLanes.Load(scale + Strip.Rows + Strip.HalfRows));
                    var (top0, top1) = (Top(top), Top(top + Strip.HalfRows * LowBits));
                    for (var subBlockEnd = target + TFormat.SubBlockLength * MicroKernel.Columns; target < subBlockEnd;
                    target += LineChannels * MicroKernel.Columns)
                    {
                        UnpackLine(line, 0, top0, scale0, offset0, target);
                        UnpackLine(line, 1, top1, scale1, offset1, target + Strip.HalfRows);
                        (top0, top1) = (NextTop(top0), NextTop(top1));
                        line += LineBytes;
                    }
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void UnpackLine(byte* line, int half, TInt top, TFloat scale, TFloat offset, float* target)
    {
        var nibbles = Nibbles(line);
        TLanes.Store(Value(line, nibbles, top, half, scale, offset), target);
        TLanes.Store(Value(line, nibbles, top, 2 + half, scale, offset), target + MicroKernel.Columns);
        TLanes.Store(Value(line, nibbles, top, 4 + half, scale, offset), target + 2 * MicroKernel.Columns);
        TLanes.Store(Value(line, nibbles, top, 6 + half, scale, offset), target + 3 * MicroKernel.Columns);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static byte* FirstCodes(byte* block, int row) =>
        block + BlockLayout<TFormat>.CodesAt + row * (TFormat.CodeBits == 8 ? 1 : LowBits);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TInt Nibbles(byte* line) => TFormat.CodeBits == 8 ? default : Words(line);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TInt Top(byte* top) => HasTops ? Words(top) : default;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TInt Words(byte* at) => LowBits == 4 ? TLanes.LoadIntegers((int*)at) : TLanes.LoadShorts((ushort*)at);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TInt NextTop(TInt top) => HasTops ? TLanes.ShiftRight(top, LineChannels * TopBits) : top;

    // Code 0 … 7 of a line: of channel half of that, the odd ones of the upper rows. A constant once this is inlined, as are the shifts.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TFloat Value(byte* line, TInt nibbles, TInt top, int place, TFloat scale, TFloat offset)
    {
        if (TFormat.CodeBits == 8) return TLanes.Multiply(scale, TLanes.ToSingle(TLanes.LoadSignedBytes(line + place * Strip.HalfRows)));
        var code = TLanes.ShiftRight(nibbles, LowBits * place);
        if (HasTops) code = TLanes.Select((1 << LowBits) - 1, code, Aligned(top, place / 2 * TopBits));
        if (TFormat.HasTable) return TLanes.Multiply(scale, TLanes.IQ4Value(code));
        return TFormat.HasOffset
            ? TLanes.Add(TLanes.Multiply(scale, TLanes.Unsigned(code, TFormat.CodeBits)), offset)
            : TLanes.Multiply(scale, TLanes.Code(code, TFormat.CodeBits));
    }

    // Bits from place on, moved to where they stand above the low bits.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TInt Aligned(TInt top, int place) =>
        place > LowBits ? TLanes.ShiftRight(top, place - LowBits) : TLanes.ShiftLeft(top, LowBits - place);
}
