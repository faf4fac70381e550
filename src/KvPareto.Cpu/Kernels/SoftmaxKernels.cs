using System.Runtime.CompilerServices;

namespace KvPareto.Cpu.Kernels;

/// <summary><see cref="Softmax"/> at a vector width; what is left over of a row, and all of it without vectors, is done one by
/// one.</summary>
/// <typeparam name="TLanes">Vector width.</typeparam>
/// <typeparam name="TFloat">Its floats.</typeparam>
/// <typeparam name="TInt">Its integers.</typeparam>
internal static unsafe class SoftmaxKernels<TLanes, TFloat, TInt>
    where TLanes : ILanes<TFloat, TInt>
    where TFloat : unmanaged
    where TInt : unmanaged
{
    // exp(x) for smaller x is below the smallest normal f32.
    private const float Smallest = -87.33f;
    private const float Log2E = 1.44269504f;
    private const float Ln2High = 0.693359375f;
    private const float Ln2Low = -2.12194440e-4f;

    /// <inheritdoc cref="Softmax.Max"/>
    public static float Max(float* row, int count)
    {
        var i = 0;
        var result = float.NegativeInfinity;
        if (TLanes.Width > 1 && count >= TLanes.Width)
        {
            var max = TLanes.Broadcast(result);
            for (; i + TLanes.Width <= count; i += TLanes.Width) max = TLanes.Max(max, TLanes.Load(row + i));
            result = TLanes.Largest(max);
        }
        for (; i < count; i++) result = MathF.Max(result, row[i]);
        return result;
    }

    /// <inheritdoc cref="Softmax.Exp"/>
    public static float Exp(float* row, int count, float max)
    {
        var i = 0;
        var sum = 0f;
        if (TLanes.Width > 1 && count >= TLanes.Width)
        {
            var (total, less) = (TLanes.Zero, TLanes.Broadcast(-max));
            for (; i + TLanes.Width <= count; i += TLanes.Width)
            {
                var e = Exp(TLanes.Add(TLanes.Load(row + i), less));
                TLanes.Store(e, row + i);
                total = TLanes.Add(total, e);
            }
            sum = TLanes.Sum(total);
        }
        for (; i < count; i++)
        {
            row[i] = MathF.Exp(row[i] - max);
            sum += row[i];
        }
        return sum;
    }

    // Cody–Waite reduction and the minimax polynomial of Cephes' expf; error below 2 ulp.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TFloat Exp(TFloat x)
    {
        var n = TLanes.Round(TLanes.Multiply(x, TLanes.Broadcast(Log2E)));
        var r = TLanes.MultiplyAdd(n, TLanes.Broadcast(-Ln2High), x);
        r = TLanes.MultiplyAdd(n, TLanes.Broadcast(-Ln2Low), r);
        var p = TLanes.Broadcast(1.9875691500e-4f);
        p = TLanes.MultiplyAdd(p, r, TLanes.Broadcast(1.3981999507e-3f));
        p = TLanes.MultiplyAdd(p, r, TLanes.Broadcast(8.3334519073e-3f));
        p = TLanes.MultiplyAdd(p, r, TLanes.Broadcast(4.1665795894e-2f));
        p = TLanes.MultiplyAdd(p, r, TLanes.Broadcast(1.6666665459e-1f));
        p = TLanes.MultiplyAdd(p, r, TLanes.Broadcast(5.0000001201e-1f));
        p = TLanes.MultiplyAdd(p, TLanes.Multiply(r, r), TLanes.Add(r, TLanes.Broadcast(1)));
        return TLanes.ZeroBelow(Smallest, x, TLanes.Multiply(p, TLanes.PowerOfTwo(n)));
    }
}
