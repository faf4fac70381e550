using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using KvPareto.Engine.Formats.Gguf;

namespace KvPareto.Engine.Cpu.Kernels;

/// <summary>Strips of ggml's blocks (<see cref="IBlockFormat"/>), written once for all formats and vector widths.</summary>
/// <typeparam name="TFormat">Format of the blocks.</typeparam>
/// <typeparam name="TLanes">Vector width.</typeparam>
/// <typeparam name="TFloat">Vector of floats.</typeparam>
/// <typeparam name="TInt">Vector of integers.</typeparam>
internal static unsafe class BlockKernels<TFormat, TLanes, TFloat, TInt>
    where TFormat : struct, IBlockFormat
    where TLanes : ILanes<TFloat, TInt>
    where TFloat : unmanaged
    where TInt : unmanaged
{
    /// <summary>Writes <paramref name="channels"/> channels as f32 into 32 columns of a panel.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Unpack(byte* blocks, int channels, float* panel)
    {
        var shape = BlockShape.Of(TFormat.Format);
        for (; channels > 0; channels -= shape.Elements, blocks += shape.ByteCount * Strip.Rows)
            for (var run = 0; run < shape.Elements / TFormat.RunLength; run++, panel += TFormat.RunLength * MicroKernel.Columns)
                for (var row = 0; row < Strip.Rows; row += TLanes.Width)
                {
                    var (scale, offset) = TFormat.Run<TLanes, TFloat, TInt>(blocks, row, run);
                    for (var i = 0; i < TFormat.RunLength; i++) TLanes.Store(Value(blocks, row, run, i, scale, offset), panel + i * MicroKernel.Columns + row);
                }
    }

    /// <summary>y [32] = or += the channels · x [channels], one fused chain a row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply(byte* blocks, float* x, int channels, float* y, bool accumulate)
    {
        var shape = BlockShape.Of(TFormat.Format);
        var runs = shape.Elements / TFormat.RunLength;
        for (var row = 0; row < Strip.Rows; row += 2 * TLanes.Width)
        {
            TFloat low = TLanes.Zero, high = TLanes.Zero;
            var next = row + TLanes.Width;
            var block = blocks;
            var xk = x;
            for (var k = 0; k < channels; k += shape.Elements, block += shape.ByteCount * Strip.Rows)
                for (var run = 0; run < runs; run++, xk += TFormat.RunLength)
                {
                    Prefetch(block + run * (shape.ByteCount * Strip.Rows / runs), shape.ByteCount * Strip.Rows / runs);
                    var (scale0, offset0) = TFormat.Run<TLanes, TFloat, TInt>(block, row, run);
                    var (scale1, offset1) = TFormat.Run<TLanes, TFloat, TInt>(block, next, run);
                    for (var i = 0; i < TFormat.RunLength; i++)
                    {
                        var xi = TLanes.Broadcast(xk[i]);
                        low = TLanes.MultiplyAdd(xi, Value(block, row, run, i, scale0, offset0), low);
                        high = TLanes.MultiplyAdd(xi, Value(block, next, run, i, scale1, offset1), high);
                    }
                }
            TLanes.Store(accumulate ? TLanes.Add(TLanes.Load(y + row), low) : low, y + row);
            TLanes.Store(accumulate ? TLanes.Add(TLanes.Load(y + next), high) : high, y + next);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TFloat Value(byte* block, int row, int run, int i, TFloat scale, TFloat offset)
    {
        var product = TLanes.Multiply(scale, TFormat.Code<TLanes, TFloat, TInt>(block, row, run, i));
        return TFormat.HasOffset ? TLanes.Add(product, offset) : product;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Prefetch(byte* from, int bytes)
    {
        if (!Sse.IsSupported) return;
        for (var at = 0; at < bytes; at += 64) Sse.Prefetch0(from + Strip.PrefetchBytes + at);
    }
}
