using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace KvPareto.Cpu.Kernels;

/// <summary>Strips of unscaled elements with 256-bit vectors; see <see cref="ScalarKernels"/> for what each computes.</summary>
internal static unsafe class StripKernelsAvx2
{
    /// <inheritdoc cref="ScalarKernels.Unpack"/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Unpack<TFormat>(byte* lines, nint stride, int channels, float* panel) where TFormat : struct, IElementFormat
    {
        for (var end = panel + channels * MicroKernel.Columns; panel < end; panel += MicroKernel.Columns, lines += stride)
        {
            var (w0, w2) = TFormat.Load256(lines, 0);
            var (w1, w3) = TFormat.Load256(lines, 1);
            w0.Store(panel);
            w1.Store(panel + 8);
            w2.Store(panel + 16);
            w3.Store(panel + 24);
        }
    }

    /// <inheritdoc cref="ScalarKernels.MultiplyBlock"/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void MultiplyBlock<TFormat>(byte* lines, float* x, int channels, float* y, bool accumulate)
        where TFormat : struct, IElementFormat
    {
        Vector256<float> s0 = default, s1 = default, s2 = default, s3 = default;
        for (var end = x + channels; x < end; x++, lines += TFormat.LineBytes)
        {
            Sse.Prefetch0(lines + Strip.PrefetchBytes);
            var (w0, w2) = TFormat.Load256(lines, 0);
            var (w1, w3) = TFormat.Load256(lines, 1);
            var xk = Vector256.Create(x[0]);
            s0 = Fma.MultiplyAdd(xk, w0, s0);
            s1 = Fma.MultiplyAdd(xk, w1, s1);
            s2 = Fma.MultiplyAdd(xk, w2, s2);
            s3 = Fma.MultiplyAdd(xk, w3, s3);
        }
        (accumulate ? Vector256.Load(y) + s0 : s0).Store(y);
        (accumulate ? Vector256.Load(y + 8) + s1 : s1).Store(y + 8);
        (accumulate ? Vector256.Load(y + 16) + s2 : s2).Store(y + 16);
        (accumulate ? Vector256.Load(y + 24) + s3 : s3).Store(y + 24);
    }

    /// <summary>y [32] = or += both blocks of a pair, in their order.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void MultiplyPair<TFormat>(byte* lines, float* x, float* y, bool accumulate) where TFormat : struct, IElementFormat
    {
        Vector256<float> s0 = default, s1 = default, s2 = default, s3 = default, t0 = default, t1 = default, t2 = default, t3 = default;
        for (var end = x + Strip.BlockChannels; x < end; x++, lines += 2 * TFormat.LineBytes)
        {
            for (var line = 0; line < 2 * TFormat.LineBytes; line += 64) Sse.Prefetch0(lines + Strip.PrefetchBytes + line);
            var (w0, w2) = TFormat.Load256(lines, 0);
            var (w1, w3) = TFormat.Load256(lines, 1);
            var xk = Vector256.Create(x[0]);
            s0 = Fma.MultiplyAdd(xk, w0, s0);
            s1 = Fma.MultiplyAdd(xk, w1, s1);
            s2 = Fma.MultiplyAdd(xk, w2, s2);
            s3 = Fma.MultiplyAdd(xk, w3, s3);
            (w0, w2) = TFormat.Load256(lines + TFormat.LineBytes, 0);
            (w1, w3) = TFormat.Load256(lines + TFormat.LineBytes, 1);
            xk = Vector256.Create(x[Strip.BlockChannels]);
            t0 = Fma.MultiplyAdd(xk, w0, t0);
            t1 = Fma.MultiplyAdd(xk, w1, t1);
            t2 = Fma.MultiplyAdd(xk, w2, t2);
            t3 = Fma.MultiplyAdd(xk, w3, t3);
        }
        ((accumulate ? Vector256.Load(y) + s0 : s0) + t0).Store(y);
        ((accumulate ? Vector256.Load(y + 8) + s1 : s1) + t1).Store(y + 8);
        ((accumulate ? Vector256.Load(y + 16) + s2 : s2) + t2).Store(y + 16);
        ((accumulate ? Vector256.Load(y + 24) + s3 : s3) + t3).Store(y + 24);
    }
}
