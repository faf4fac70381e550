using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace KvPareto.Cpu.Kernels;

/// <summary>Strips of unscaled elements with 512-bit vectors; see <see cref="ScalarKernels"/> for what each computes.</summary>
internal static unsafe class StripKernelsAvx512
{
    /// <inheritdoc cref="ScalarKernels.Unpack"/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Unpack<TFormat>(byte* lines, nint stride, int channels, float* panel) where TFormat : struct, IElementFormat
    {
        for (var end = panel + channels * MicroKernel.Columns; panel < end; panel += MicroKernel.Columns, lines += stride)
        {
            var (low, high) = TFormat.Load512(lines);
            low.Store(panel);
            high.Store(panel + 16);
        }
    }

    /// <inheritdoc cref="ScalarKernels.MultiplyBlock"/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void MultiplyBlock<TFormat>(byte* lines, float* x, int channels, float* y, bool accumulate)
        where TFormat : struct, IElementFormat
    {
        Vector512<float> low = default, high = default;
        for (var end = x + channels; x < end; x++, lines += TFormat.LineBytes)
        {
            Sse.Prefetch0(lines + Strip.PrefetchBytes);
            var (w0, w1) = TFormat.Load512(lines);
            low = Avx512F.FusedMultiplyAdd(Vector512.Create(x[0]), w0, low);
            high = Avx512F.FusedMultiplyAdd(Vector512.Create(x[0]), w1, high);
        }
        (accumulate ? Vector512.Load(y) + low : low).Store(y);
        (accumulate ? Vector512.Load(y + 16) + high : high).Store(y + 16);
    }

    /// <summary>y [32] = or += both blocks of a pair, in their order. Four chains hide the latency of the additions.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void MultiplyPair<TFormat>(byte* lines, float* x, float* y, bool accumulate) where TFormat : struct, IElementFormat
    {
        Vector512<float> low0 = default, high0 = default, low1 = default, high1 = default;
        for (var end = x + Strip.BlockChannels; x < end; x++, lines += 2 * TFormat.LineBytes)
        {
            for (var line = 0; line < 2 * TFormat.LineBytes; line += 64) Sse.Prefetch0(lines + Strip.PrefetchBytes + line);
            var (w0, w1) = TFormat.Load512(lines);
            var (w2, w3) = TFormat.Load512(lines + TFormat.LineBytes);
            low0 = Avx512F.FusedMultiplyAdd(Vector512.Create(x[0]), w0, low0);
            high0 = Avx512F.FusedMultiplyAdd(Vector512.Create(x[0]), w1, high0);
            low1 = Avx512F.FusedMultiplyAdd(Vector512.Create(x[Strip.BlockChannels]), w2, low1);
            high1 = Avx512F.FusedMultiplyAdd(Vector512.Create(x[Strip.BlockChannels]), w3, high1);
        }
        ((accumulate ? Vector512.Load(y) + low0 : low0) + low1).Store(y);
        ((accumulate ? Vector512.Load(y + 16) + high0 : high0) + high1).Store(y + 16);
    }
}
