using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
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
internal static unsafe class CodeKernels<TCodes, TLanes, TFloat, TInt>
    where TCodes : struct, ICodeFormat
    where TLanes : ILanes<TFloat, TInt>
    where TFloat : unmanaged
    where TInt : unmanaged
{
    private const int Line = 64;

    /// <inheritdoc cref="StripKernel.Multiply"/>
    public static void Multiply(CpuWeight weight, int strip, float* x, float* y)
    {
        for (var k = 0; k < weight.ColumnCount; k += Strip.BlockChannels)
        {
            var (address, stride) = weight.BlockAt(strip, k);
            var isPair = stride > Line;
            for (var row = 0; row < Strip.HalfRows; row += TLanes.Width)
            {
                var lines = (byte*)address + row * sizeof(int);
                if (isPair) MultiplyPair(lines, x + k, weight.GroupSize, y + row, k > 0);
                else
                    MultiplyBlock(
                        lines, x + k, Math.Min(Strip.BlockChannels, weight.ColumnCount - k), weight.GroupSize, y + row, k > 0);
            }
            if (isPair) k += Strip.BlockChannels;
        }
    }

    /// <inheritdoc cref="StripKernel.Unpack"/>
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

    // y = or += the block · x [channels].
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MultiplyBlock(byte* lines, float* x, int channels, int groupSize, float* y, bool accumulate)
    {
        var (low, high) = (TLanes.Zero, TLanes.Zero);
        for (var end = x + channels; x < end;)
        {
            var (scale0, offset0) = TLanes.Groups((GroupMeta*)lines);
            var (scale1, offset1) = TLanes.Groups((GroupMeta*)(lines + Line));
            lines += Strip.MetaLines * Line;
            for (var groupEnd = x + groupSize; x < groupEnd; x += TCodes.LineChannels, lines += Line)
            {
                if (Sse.IsSupported) Sse.Prefetch0(lines + Strip.PrefetchBytes);
                var codes = TLanes.LoadIntegers((int*)lines);
                for (var i = 0; i < TCodes.LineChannels; i++)
                {
                    var xi = TLanes.Broadcast(x[i]);
                    low = TLanes.MultiplyAdd(xi, Decode(codes, 0, scale0, offset0), low);
                    high = TLanes.MultiplyAdd(xi, Decode(codes, TCodes.Bits, scale1, offset1), high);
                    codes = TLanes.ShiftRight(codes, 2 * TCodes.Bits);
                }
            }
        }
        TLanes.Store(accumulate ? TLanes.Add(TLanes.Load(y), low) : low, y);
        TLanes.Store(accumulate ? TLanes.Add(TLanes.Load(y + Strip.HalfRows), high) : high, y + Strip.HalfRows);
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
                if (Sse.IsSupported)
                {
                    Sse.Prefetch0(lines + Strip.PrefetchBytes);
                    Sse.Prefetch0(lines + Strip.PrefetchBytes + Line);
                }
                var codes0 = TLanes.LoadIntegers((int*)lines);
                var codes1 = TLanes.LoadIntegers((int*)(lines + Line));
                for (var i = 0; i < TCodes.LineChannels; i++)
                {
                    var (x0, x1) = (TLanes.Broadcast(x[i]), TLanes.Broadcast(x[i + Strip.BlockChannels]));
                    low0 = TLanes.MultiplyAdd(x0, Decode(codes0, 0, scale0, offset0), low0);
                    low1 = TLanes.MultiplyAdd(x1, Decode(codes1, 0, scale2, offset2), low1);
                    high0 = TLanes.MultiplyAdd(x0, Decode(codes0, TCodes.Bits, scale1, offset1), high0);
                    high1 = TLanes.MultiplyAdd(x1, Decode(codes1, TCodes.Bits, scale3, offset3), high1);
                    (codes0, codes1) = (TLanes.ShiftRight(codes0, 2 * TCodes.Bits), TLanes.ShiftRight(codes1, 2 * TCodes.Bits));
                }
            }
        }
        TLanes.Store(TLanes.Add(accumulate ? TLanes.Add(TLanes.Load(y), low0) : low0, low1), y);
        TLanes.Store(TLanes.Add(accumulate ? TLanes.Add(TLanes.Load(y + Strip.HalfRows), high0) : high0, high1), y + Strip.HalfRows);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TFloat Decode(TInt codes, int place, TFloat scale, TFloat offset) =>
        TLanes.MultiplyAdd(TLanes.SignedCode(codes, place, TCodes.Bits), scale, offset);
}
