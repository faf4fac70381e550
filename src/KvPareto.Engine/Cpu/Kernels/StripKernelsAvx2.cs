using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace KvPareto.Engine.Cpu.Kernels;

/// <summary>Strips of unscaled elements with 256-bit vectors; see <see cref="ScalarKernels"/> for what each computes.</summary>
internal static unsafe class StripKernelsAvx2
{
    /// <inheritdoc cref="ScalarKernels.Unpack"/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Unpack<TFormat>(byte* strip, int channels, float* panel) where TFormat : struct, IElementFormat
    {
        for (var end = panel + (nint)channels * MicroKernel.Columns; panel < end; panel += MicroKernel.Columns, strip += TFormat.ChannelBytes)
        {
            var (w0, w2) = TFormat.Load256(strip, 0);
            var (w1, w3) = TFormat.Load256(strip, 1);
            w0.Store(panel);
            w1.Store(panel + 8);
            w2.Store(panel + 16);
            w3.Store(panel + 24);
        }
    }

    /// <inheritdoc cref="ScalarKernels.Gemv"/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Gemv<TFormat>(byte* strip, float* x, int columns, float* y) where TFormat : struct, IElementFormat
    {
        Vector256<float> y0 = Vector256.Create(-0f), y1 = y0, y2 = y0, y3 = y0; // −0: the first block's own bits pass through
        while (columns > 0)
        {
            var count = Math.Min(columns, Strip.BlockChannels);
            Vector256<float> s0 = default, s1 = default, s2 = default, s3 = default;
            for (var end = x + count; x < end; x++, strip += TFormat.ChannelBytes)
            {
                var (w0, w2) = TFormat.Load256(strip, 0);
                var (w1, w3) = TFormat.Load256(strip, 1);
                var xk = Vector256.Create(x[0]);
                s0 = Fma.MultiplyAdd(xk, w0, s0);
                s1 = Fma.MultiplyAdd(xk, w1, s1);
                s2 = Fma.MultiplyAdd(xk, w2, s2);
                s3 = Fma.MultiplyAdd(xk, w3, s3);
            }
            y0 += s0;
            y1 += s1;
            y2 += s2;
            y3 += s3;
            columns -= count;
        }
        y0.Store(y);
        y1.Store(y + 8);
        y2.Store(y + 16);
        y3.Store(y + 24);
    }
}
