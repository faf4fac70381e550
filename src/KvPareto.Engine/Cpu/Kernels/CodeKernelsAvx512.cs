using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace KvPareto.Engine.Cpu.Kernels;

/// <summary>
/// Strips of W4 codes with 512-bit vectors; see <see cref="ScalarKernels"/> for what each computes. A permutation of a table of the
/// 16 codes' values looks at the low four bits of each lane alone, so a shift is all that unpacks a nibble.
/// </summary>
internal static unsafe class CodeKernelsAvx512
{
    private const int Line = 64;

    /// <inheritdoc cref="ScalarKernels.UnpackCodes"/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Unpack(byte* lines, nint stride, int channels, int groupSize, float* panel)
    {
        const int Columns = MicroKernel.Columns;
        var table = CodeValues();
        for (; channels > 0; channels -= groupSize)
        {
            var (scale0, offset0) = LoadMeta(lines);
            var (scale1, offset1) = LoadMeta(lines + stride);
            lines += Strip.MetaLines * stride;
            for (var end = panel + groupSize * Columns; panel < end; panel += Strip.QuadChannels * Columns, lines += stride)
            {
                var codes = Vector512.Load((int*)lines);
                Decode(table, codes, scale0, offset0).Store(panel);
                Decode(table, codes >>> 4, scale1, offset1).Store(panel + 16);
                Decode(table, codes >>> 8, scale0, offset0).Store(panel + Columns);
                Decode(table, codes >>> 12, scale1, offset1).Store(panel + Columns + 16);
                Decode(table, codes >>> 16, scale0, offset0).Store(panel + 2 * Columns);
                Decode(table, codes >>> 20, scale1, offset1).Store(panel + 2 * Columns + 16);
                Decode(table, codes >>> 24, scale0, offset0).Store(panel + 3 * Columns);
                Decode(table, codes >>> 28, scale1, offset1).Store(panel + 3 * Columns + 16);
            }
        }
    }

    /// <inheritdoc cref="ScalarKernels.MultiplyCodes"/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void MultiplyBlock(byte* lines, float* x, int channels, int groupSize, float* y, bool accumulate)
    {
        var table = CodeValues();
        Vector512<float> low = default, high = default;
        for (var end = x + channels; x < end;)
        {
            var (scale0, offset0) = LoadMeta(lines);
            var (scale1, offset1) = LoadMeta(lines + Line);
            lines += Strip.MetaLines * Line;
            for (var groupEnd = x + groupSize; x < groupEnd; x += Strip.QuadChannels, lines += Line)
            {
                Sse.Prefetch0(lines + Strip.PrefetchBytes);
                var codes = Vector512.Load((int*)lines);
                for (var i = 0; i < Strip.QuadChannels; i++, codes >>>= 8)
                {
                    low = Avx512F.FusedMultiplyAdd(Vector512.Create(x[i]), Decode(table, codes, scale0, offset0), low);
                    high = Avx512F.FusedMultiplyAdd(Vector512.Create(x[i]), Decode(table, codes >>> 4, scale1, offset1), high);
                }
            }
        }
        (accumulate ? Vector512.Load(y) + low : low).Store(y);
        (accumulate ? Vector512.Load(y + 16) + high : high).Store(y + 16);
    }

    /// <summary>y [32] = or += both blocks of a pair, in their order. Four chains hide the latency of the additions.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void MultiplyPair(byte* lines, float* x, int groupSize, float* y, bool accumulate)
    {
        var table = CodeValues();
        Vector512<float> low0 = default, high0 = default, low1 = default, high1 = default;
        for (var end = x + Strip.BlockChannels; x < end;)
        {
            var (scale0, offset0) = LoadMeta(lines);
            var (scale2, offset2) = LoadMeta(lines + Line);
            var (scale1, offset1) = LoadMeta(lines + 2 * Line);
            var (scale3, offset3) = LoadMeta(lines + 3 * Line);
            lines += 2 * Strip.MetaLines * Line;
            for (var groupEnd = x + groupSize; x < groupEnd; x += Strip.QuadChannels, lines += 2 * Line)
            {
                Sse.Prefetch0(lines + Strip.PrefetchBytes);
                Sse.Prefetch0(lines + Strip.PrefetchBytes + Line);
                var codes0 = Vector512.Load((int*)lines);
                var codes1 = Vector512.Load((int*)(lines + Line));
                for (var i = 0; i < Strip.QuadChannels; i++, codes0 >>>= 8, codes1 >>>= 8)
                {
                    var x0 = Vector512.Create(x[i]);
                    var x1 = Vector512.Create(x[i + Strip.BlockChannels]);
                    low0 = Avx512F.FusedMultiplyAdd(x0, Decode(table, codes0, scale0, offset0), low0);
                    low1 = Avx512F.FusedMultiplyAdd(x1, Decode(table, codes1, scale2, offset2), low1);
                    high0 = Avx512F.FusedMultiplyAdd(x0, Decode(table, codes0 >>> 4, scale1, offset1), high0);
                    high1 = Avx512F.FusedMultiplyAdd(x1, Decode(table, codes1 >>> 4, scale3, offset3), high1);
                }
            }
        }
        ((accumulate ? Vector512.Load(y) + low0 : low0) + low1).Store(y);
        ((accumulate ? Vector512.Load(y + 16) + high0 : high0) + high1).Store(y + 16);
    }

    private static Vector512<float> CodeValues() => Vector512.Create(0f, 1, 2, 3, 4, 5, 6, 7, -8, -7, -6, -5, -4, -3, -2, -1);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Decode(Vector512<float> table, Vector512<int> codes, Vector512<float> scale, Vector512<float> offset) =>
        Avx512F.FusedMultiplyAdd(Avx512F.PermuteVar16x32(table, codes), scale, offset);

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
