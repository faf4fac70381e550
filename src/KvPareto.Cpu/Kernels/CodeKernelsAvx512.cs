using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace KvPareto.Cpu.Kernels;

/// <summary>
/// Strips of codes with 512-bit vectors; see <see cref="ScalarKernels"/> for what each computes.
/// </summary>
internal static unsafe class CodeKernelsAvx512
{
    private const int Line = 64;

    /// <inheritdoc cref="ScalarKernels.UnpackCodes"/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Unpack<TCodes>(byte* lines, nint stride, int channels, int groupSize, float* panel)
        where TCodes : struct, ICodeFormat
    {
        const int Columns = MicroKernel.Columns;
        var table = TCodes.Table;
        for (; channels > 0; channels -= groupSize)
        {
            var (scale0, offset0) = LoadMeta(lines);
            var (scale1, offset1) = LoadMeta(lines + stride);
            lines += Strip.MetaLines * stride;
            for (var end = panel + groupSize * Columns; panel < end; lines += stride)
            {
                var codes = Vector512.Load((int*)lines);
                for (var i = 0; i < TCodes.LineChannels; i++, codes >>>= 2 * TCodes.Bits, panel += Columns)
                {
                    Decode<TCodes>(table, codes, scale0, offset0).Store(panel);
                    Decode<TCodes>(table, codes >>> TCodes.Bits, scale1, offset1).Store(panel + 16);
                }
            }
        }
    }

    /// <inheritdoc cref="ScalarKernels.MultiplyCodes"/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void MultiplyBlock<TCodes>(byte* lines, float* x, int channels, int groupSize, float* y, bool accumulate)
        where TCodes : struct, ICodeFormat
    {
        var table = TCodes.Table;
        Vector512<float> low = default, high = default;
        for (var end = x + channels; x < end;)
        {
            var (scale0, offset0) = LoadMeta(lines);
            var (scale1, offset1) = LoadMeta(lines + Line);
            lines += Strip.MetaLines * Line;
            for (var groupEnd = x + groupSize; x < groupEnd; x += TCodes.LineChannels, lines += Line)
            {
                Sse.Prefetch0(lines + Strip.PrefetchBytes);
                var codes = Vector512.Load((int*)lines);
                for (var i = 0; i < TCodes.LineChannels; i++, codes >>>= 2 * TCodes.Bits)
                {
                    low = Avx512F.FusedMultiplyAdd(Vector512.Create(x[i]), Decode<TCodes>(table, codes, scale0, offset0), low);
                    high = Avx512F.FusedMultiplyAdd(
                        Vector512.Create(x[i]), Decode<TCodes>(table, codes >>> TCodes.Bits, scale1, offset1), high);
                }
            }
        }
        (accumulate ? Vector512.Load(y) + low : low).Store(y);
        (accumulate ? Vector512.Load(y + 16) + high : high).Store(y + 16);
    }

    /// <summary>y [32] = or += both blocks of a pair, in their order. Four chains hide the latency of the additions.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void MultiplyPair<TCodes>(byte* lines, float* x, int groupSize, float* y, bool accumulate)
        where TCodes : struct, ICodeFormat
    {
        var table = TCodes.Table;
        Vector512<float> low0 = default, high0 = default, low1 = default, high1 = default;
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
                var codes0 = Vector512.Load((int*)lines);
                var codes1 = Vector512.Load((int*)(lines + Line));
                for (var i = 0; i < TCodes.LineChannels; i++, codes0 >>>= 2 * TCodes.Bits, codes1 >>>= 2 * TCodes.Bits)
                {
                    var x0 = Vector512.Create(x[i]);
                    var x1 = Vector512.Create(x[i + Strip.BlockChannels]);
                    low0 = Avx512F.FusedMultiplyAdd(x0, Decode<TCodes>(table, codes0, scale0, offset0), low0);
                    low1 = Avx512F.FusedMultiplyAdd(x1, Decode<TCodes>(table, codes1, scale2, offset2), low1);
                    high0 = Avx512F.FusedMultiplyAdd(x0, Decode<TCodes>(table, codes0 >>> TCodes.Bits, scale1, offset1), high0);
                    high1 = Avx512F.FusedMultiplyAdd(x1, Decode<TCodes>(table, codes1 >>> TCodes.Bits, scale3, offset3), high1);
                }
            }
        }
        ((accumulate ? Vector512.Load(y) + low0 : low0) + low1).Store(y);
        ((accumulate ? Vector512.Load(y + 16) + high0 : high0) + high1).Store(y + 16);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Decode<TCodes>(
        Vector512<float> table, Vector512<int> codes, Vector512<float> scale, Vector512<float> offset)
        where TCodes : struct, ICodeFormat => Avx512F.FusedMultiplyAdd(TCodes.Values(table, codes), scale, offset);

    // 16 GroupMeta: s, and −z·s.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector512<float> Scale, Vector512<float> Offset) LoadMeta(byte* line)
    {
        var meta = Vector512.Load((int*)line);
        var constant = Vector512.Equals(meta & Vector512.Create(0x8000), Vector512.Create(0x8000));
        var magnitude = ((meta & Vector512.Create(0x7FFF)) << 16) | (meta >>> 16);
        var scale = Vector512.ConditionalSelect(constant, magnitude, Half16.Widen(meta & Vector512.Create(0x7FFF)).AsInt32()).AsSingle();
        var zero = Vector512.AndNot(meta >> 16, constant);
        return (scale, Vector512.ConvertToSingle(-zero) * scale);
    }
}
