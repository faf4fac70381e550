using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace KvPareto.Cpu.Kernels;

/// <summary>
/// Strips of codes with 256-bit vectors; see <see cref="ScalarKernels"/> for what each computes. Two shifts bring a code to the
/// top of its lane and back down with its sign. Half of the rows at a time: all 32 with their scales and offsets need more than
/// the 16 registers, and the second half comes from the first-level cache.
/// </summary>
internal static unsafe class CodeKernelsAvx2
{
    private const int Line = 64;
    private const int HalfLine = 32;

    /// <inheritdoc cref="ScalarKernels.UnpackCodes"/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Unpack<TCodes>(byte* lines, nint stride, int channels, int groupSize, float* panel)
        where TCodes : struct, ICodeFormat
    {
        nint groupBytes = (Strip.MetaLines + groupSize / TCodes.LineChannels) * stride;
        for (; channels > 0; channels -= groupSize, lines += groupBytes, panel += groupSize * MicroKernel.Columns)
            for (var part = 0; part < 2; part++)
            {
                var (scaleLow, offsetLow) = LoadMeta(lines + part * HalfLine);
                var (scaleHigh, offsetHigh) = LoadMeta(lines + stride + part * HalfLine);
                var line = lines + Strip.MetaLines * stride + part * HalfLine;
                var row = panel + 8 * part;
                for (var quad = 0; quad < groupSize; quad += TCodes.LineChannels, line += stride)
                {
                    var codes = Vector256.Load((int*)line);
                    for (var i = 0; i < TCodes.LineChannels; i++, codes >>= 2 * TCodes.Bits, row += MicroKernel.Columns)
                    {
                        Decode<TCodes>(codes << (32 - TCodes.Bits), scaleLow, offsetLow).Store(row);
                        Decode<TCodes>(codes << (32 - 2 * TCodes.Bits), scaleHigh, offsetHigh).Store(row + 16);
                    }
                }
            }
    }

    /// <inheritdoc cref="ScalarKernels.MultiplyCodes"/>
    public static void MultiplyBlock<TCodes>(byte* lines, float* x, int channels, int groupSize, float* y, bool accumulate)
        where TCodes : struct, ICodeFormat
    {
        for (var part = 0; part < 2; part++)
            MultiplyHalfBlock<TCodes>(lines + part * HalfLine, x, channels, groupSize, y + 8 * part, accumulate);
    }

    /// <summary>y [32] = or += both blocks of a pair, in their order.</summary>
    public static void MultiplyPair<TCodes>(byte* lines, float* x, int groupSize, float* y, bool accumulate)
        where TCodes : struct, ICodeFormat
    {
        for (var part = 0; part < 2; part++) MultiplyHalfPair<TCodes>(lines + part * HalfLine, x, groupSize, y + 8 * part, accumulate);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MultiplyHalfBlock<TCodes>(byte* lines, float* x, int channels, int groupSize, float* y, bool accumulate)
        where TCodes : struct, ICodeFormat
    {
        Vector256<float> low = default, high = default;
        for (var end = x + channels; x < end;)
        {
            var (scale0, offset0) = LoadMeta(lines);
            var (scale1, offset1) = LoadMeta(lines + Line);
            lines += Strip.MetaLines * Line;
            for (var groupEnd = x + groupSize; x < groupEnd; x += TCodes.LineChannels, lines += Line)
            {
                Sse.Prefetch0(lines + Strip.PrefetchBytes);
                var codes = Vector256.Load((int*)lines);
                for (var i = 0; i < TCodes.LineChannels; i++, codes >>= 2 * TCodes.Bits)
                {
                    low = Fma.MultiplyAdd(Vector256.Create(x[i]), Decode<TCodes>(codes << (32 - TCodes.Bits), scale0, offset0), low);
                    high = Fma.MultiplyAdd(Vector256.Create(x[i]), Decode<TCodes>(codes << (32 - 2 * TCodes.Bits), scale1, offset1), high);
                }
            }
        }
        (accumulate ? Vector256.Load(y) + low : low).Store(y);
        (accumulate ? Vector256.Load(y + 16) + high : high).Store(y + 16);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MultiplyHalfPair<TCodes>(byte* lines, float* x, int groupSize, float* y, bool accumulate)
        where TCodes : struct, ICodeFormat
    {
        Vector256<float> low0 = default, high0 = default, low1 = default, high1 = default;
        for (var end = x + Strip.BlockChannels; x < end;)
        {
            var (scale0, offset0) = LoadMeta(lines);
            var (scale2, offset2) = LoadMeta(lines + Line);
            var (scale1, offset1) = LoadMeta(lines + 2 * Line);
            var (scale3, offset3) = LoadMeta(lines + 3 * Line);
            lines += 2 * Strip.MetaLines * Line;
            for (var groupEnd = x + groupSize; x < groupEnd; x += TCodes.LineChannels, lines += 2 * Line)
            {
                Sse.Prefetch0(lines + Strip.PrefetchBytes);
                Sse.Prefetch0(lines + Strip.PrefetchBytes + Line);
                var codes0 = Vector256.Load((int*)lines);
                var codes1 = Vector256.Load((int*)(lines + Line));
                for (var i = 0; i < TCodes.LineChannels; i++, codes0 >>= 2 * TCodes.Bits, codes1 >>= 2 * TCodes.Bits)
                {
                    var x0 = Vector256.Create(x[i]);
                    var x1 = Vector256.Create(x[i + Strip.BlockChannels]);
                    low0 = Fma.MultiplyAdd(x0, Decode<TCodes>(codes0 << (32 - TCodes.Bits), scale0, offset0), low0);
                    low1 = Fma.MultiplyAdd(x1, Decode<TCodes>(codes1 << (32 - TCodes.Bits), scale2, offset2), low1);
                    high0 = Fma.MultiplyAdd(x0, Decode<TCodes>(codes0 << (32 - 2 * TCodes.Bits), scale1, offset1), high0);
                    high1 = Fma.MultiplyAdd(x1, Decode<TCodes>(codes1 << (32 - 2 * TCodes.Bits), scale3, offset3), high1);
                }
            }
        }
        ((accumulate ? Vector256.Load(y) + low0 : low0) + low1).Store(y);
        ((accumulate ? Vector256.Load(y + 16) + high0 : high0) + high1).Store(y + 16);
    }

    // The code is in the top bits of each lane.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Decode<TCodes>(Vector256<int> top, Vector256<float> scale, Vector256<float> offset)
        where TCodes : struct, ICodeFormat =>
        Fma.MultiplyAdd(Vector256.ConvertToSingle(top >> (32 - TCodes.Bits)), scale, offset);

    // 8 GroupMeta: s, and −z·s.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector256<float> Scale, Vector256<float> Offset) LoadMeta(byte* metas)
    {
        var meta = Vector256.Load((int*)metas);
        var constant = Vector256.Equals(meta & Vector256.Create(0x8000), Vector256.Create(0x8000));
        var magnitude = ((meta & Vector256.Create(0x7FFF)) << 16) | (meta >>> 16);
        var scale = Vector256.ConditionalSelect(constant, magnitude, Half16.Widen(meta & Vector256.Create(0x7FFF)).AsInt32()).AsSingle();
        var zero = Vector256.AndNot(meta >> 16, constant);
        return (scale, Vector256.ConvertToSingle(-zero) * scale);
    }
}
