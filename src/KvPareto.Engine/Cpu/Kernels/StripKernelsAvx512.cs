using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace KvPareto.Engine.Cpu.Kernels;

/// <summary>Strips of unscaled elements with 512-bit vectors; see <see cref="ScalarKernels"/> for what each computes.</summary>
internal static unsafe class StripKernelsAvx512
{
    /// <inheritdoc cref="ScalarKernels.Unpack"/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Unpack<TFormat>(byte* strip, int channels, float* panel) where TFormat : struct, IElementFormat
    {
        for (var end = panel + (nint)channels * MicroKernel.Columns; panel < end; panel += MicroKernel.Columns, strip += TFormat.ChannelBytes)
        {
            var (low, high) = TFormat.Load512(strip);
            low.Store(panel);
            high.Store(panel + 16);
        }
    }

    /// <inheritdoc cref="ScalarKernels.Gemv"/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Gemv<TFormat>(byte* strip, float* x, int columns, float* y) where TFormat : struct, IElementFormat
    {
        const int Block = Strip.BlockChannels;
        nint blockBytes = Block * TFormat.ChannelBytes;
        Vector512<float> low = Vector512.Create(-0f), high = low; // −0: the first block's own bits pass through
        // Two blocks at a time: four chains hide the latency of the additions, and memory is read as two streams.
        for (; columns >= 2 * Block; columns -= 2 * Block, strip += blockBytes)
        {
            Vector512<float> low0 = default, high0 = default, low1 = default, high1 = default;
            for (var end = x + Block; x < end; x++, strip += TFormat.ChannelBytes)
            {
                var (w0, w1) = TFormat.Load512(strip);
                var (w2, w3) = TFormat.Load512(strip + blockBytes);
                low0 = Avx512F.FusedMultiplyAdd(Vector512.Create(x[0]), w0, low0);
                high0 = Avx512F.FusedMultiplyAdd(Vector512.Create(x[0]), w1, high0);
                low1 = Avx512F.FusedMultiplyAdd(Vector512.Create(x[Block]), w2, low1);
                high1 = Avx512F.FusedMultiplyAdd(Vector512.Create(x[Block]), w3, high1);
            }
            x += Block;
            low = low + low0 + low1;
            high = high + high0 + high1;
        }
        while (columns > 0)
        {
            var count = Math.Min(columns, Block);
            Vector512<float> low0 = default, high0 = default;
            for (var end = x + count; x < end; x++, strip += TFormat.ChannelBytes)
            {
                var (w0, w1) = TFormat.Load512(strip);
                low0 = Avx512F.FusedMultiplyAdd(Vector512.Create(x[0]), w0, low0);
                high0 = Avx512F.FusedMultiplyAdd(Vector512.Create(x[0]), w1, high0);
            }
            low += low0;
            high += high0;
            columns -= count;
        }
        low.Store(y);
        high.Store(y + 16);
    }
}
