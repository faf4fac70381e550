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
    /// <inheritdoc cref="ScalarKernels.UnpackCodes"/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Unpack(byte* strip, int channels, int groupSize, float* panel)
    {
        const int Columns = MicroKernel.Columns;
        var table = CodeValues();
        for (; channels > 0; channels -= groupSize)
        {
            var (scale0, offset0) = LoadMeta(strip);
            var (scale1, offset1) = LoadMeta(strip + 64);
            strip += Strip.MetaBytes;
            for (var end = panel + groupSize * Columns; panel < end; panel += Strip.QuadChannels * Columns, strip += Strip.QuadBytes)
            {
                var codes = Vector512.Load((int*)strip);
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

    /// <inheritdoc cref="ScalarKernels.GemvCodes"/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Gemv(byte* strip, float* x, int columns, int groupSize, float* y)
    {
        const int Block = Strip.BlockChannels;
        nint blockBytes = Block / groupSize * Strip.GroupBytes(groupSize);
        var table = CodeValues();
        Vector512<float> low = Vector512.Create(-0f), high = low;
        // Two blocks at a time, as in StripKernelsAvx512.
        for (; columns >= 2 * Block; columns -= 2 * Block, x += Block, strip += blockBytes)
        {
            Vector512<float> low0 = default, high0 = default, low1 = default, high1 = default;
            for (var group = 0; group < Block; group += groupSize)
            {
                var (scale0, offset0) = LoadMeta(strip);
                var (scale1, offset1) = LoadMeta(strip + 64);
                var (scale2, offset2) = LoadMeta(strip + blockBytes);
                var (scale3, offset3) = LoadMeta(strip + blockBytes + 64);
                strip += Strip.MetaBytes;
                for (var end = x + groupSize; x < end; x += Strip.QuadChannels, strip += Strip.QuadBytes)
                {
                    var codes = Vector512.Load((int*)strip);
                    var codes1 = Vector512.Load((int*)(strip + blockBytes));
                    for (var i = 0; i < Strip.QuadChannels; i++)
                    {
                        var x0 = Vector512.Create(x[i]);
                        var x1 = Vector512.Create(x[i + Block]);
                        low0 = Avx512F.FusedMultiplyAdd(x0, Decode(table, codes, scale0, offset0), low0);
                        low1 = Avx512F.FusedMultiplyAdd(x1, Decode(table, codes1, scale2, offset2), low1);
                        high0 = Avx512F.FusedMultiplyAdd(x0, Decode(table, codes >>> 4, scale1, offset1), high0);
                        high1 = Avx512F.FusedMultiplyAdd(x1, Decode(table, codes1 >>> 4, scale3, offset3), high1);
                        codes >>>= 8;
                        codes1 >>>= 8;
                    }
                }
            }
            low = low + low0 + low1;
            high = high + high0 + high1;
        }
        while (columns > 0)
        {
            var count = Math.Min(columns, Block);
            Vector512<float> low0 = default, high0 = default;
            for (var group = 0; group < count; group += groupSize)
            {
                var (scale0, offset0) = LoadMeta(strip);
                var (scale1, offset1) = LoadMeta(strip + 64);
                strip += Strip.MetaBytes;
                for (var end = x + groupSize; x < end; x += Strip.QuadChannels, strip += Strip.QuadBytes)
                {
                    var codes = Vector512.Load((int*)strip);
                    for (var i = 0; i < Strip.QuadChannels; i++)
                    {
                        low0 = Avx512F.FusedMultiplyAdd(Vector512.Create(x[i]), Decode(table, codes, scale0, offset0), low0);
                        high0 = Avx512F.FusedMultiplyAdd(Vector512.Create(x[i]), Decode(table, codes >>> 4, scale1, offset1), high0);
                        codes >>>= 8;
                    }
                }
            }
            low += low0;
            high += high0;
            columns -= count;
        }
        low.Store(y);
        high.Store(y + 16);
    }

    private static Vector512<float> CodeValues() => Vector512.Create(0f, 1, 2, 3, 4, 5, 6, 7, -8, -7, -6, -5, -4, -3, -2, -1);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Decode(Vector512<float> table, Vector512<int> codes, Vector512<float> scale, Vector512<float> offset) =>
        Avx512F.FusedMultiplyAdd(Avx512F.PermuteVar16x32(table, codes), scale, offset);

    // 16 GroupMeta: s, and −z·s.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector512<float> Scale, Vector512<float> Offset) LoadMeta(byte* metas)
    {
        var meta = Vector512.Load((int*)metas);
        var constant = Vector512.Equals(meta & Vector512.Create(0x8000), Vector512.Create(0x8000));
        var magnitude = ((meta & Vector512.Create(0x7FFF)) << 16) | (meta >>> 16);
        var scale = Vector512.ConditionalSelect(constant, magnitude, Half16.Widen(meta & Vector512.Create(0x7FFF)).AsInt32()).AsSingle();
        var zero = Vector512.AndNot(meta >> 16, constant);
        return (scale, Vector512.ConvertToSingle(-zero) * scale);
    }
}
