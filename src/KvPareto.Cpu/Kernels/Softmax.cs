using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace KvPareto.Cpu.Kernels;

/// <summary>Exponentials of score rows.</summary>
internal static unsafe class Softmax
{
    // exp(x) for smaller x is below the smallest normal f32.
    private const float Smallest = -87.33f;
    private const float Log2E = 1.44269504f;
    private const float Ln2High = 0.693359375f;
    private const float Ln2Low = -2.12194440e-4f;

    /// <summary>Largest of <paramref name="count"/> scores.</summary>
    public static float Max(float* row, int count)
    {
        var i = 0;
        var result = float.NegativeInfinity;
        if (Vector512.IsHardwareAccelerated && count >= Vector512<float>.Count)
        {
            var max = Vector512.Create(result);
            for (; i + Vector512<float>.Count <= count; i += Vector512<float>.Count) max = Vector512.Max(max, Vector512.Load(row + i));
            result = Lane(Vector256.Max(max.GetLower(), max.GetUpper()));
        }
        else if (Vector256.IsHardwareAccelerated && count >= Vector256<float>.Count)
        {
            var max = Vector256.Create(result);
            for (; i + Vector256<float>.Count <= count; i += Vector256<float>.Count) max = Vector256.Max(max, Vector256.Load(row + i));
            result = Lane(max);
        }
        for (; i < count; i++) result = MathF.Max(result, row[i]);
        return result;
    }

    /// <summary>row[i] = exp(row[i] − <paramref name="max"/>), and their sum. NaN stays NaN.</summary>
    public static float Exp(float* row, int count, float max)
    {
        var i = 0;
        var sum = 0f;
        if (Vector512.IsHardwareAccelerated && count >= Vector512<float>.Count)
        {
            var total = Vector512<float>.Zero;
            for (; i + Vector512<float>.Count <= count; i += Vector512<float>.Count)
            {
                var e = Exp(Vector512.Load(row + i) - Vector512.Create(max));
                e.Store(row + i);
                total += e;
            }
            sum = Vector512.Sum(total);
        }
        else if (Vector256.IsHardwareAccelerated && count >= Vector256<float>.Count)
        {
            var total = Vector256<float>.Zero;
            for (; i + Vector256<float>.Count <= count; i += Vector256<float>.Count)
            {
                var e = Exp(Vector256.Load(row + i) - Vector256.Create(max));
                e.Store(row + i);
                total += e;
            }
            sum = Vector256.Sum(total);
        }
        for (; i < count; i++)
        {
            row[i] = MathF.Exp(row[i] - max);
            sum += row[i];
        }
        return sum;
    }

    private static float Lane(Vector256<float> v)
    {
        var result = v[0];
        for (var i = 1; i < Vector256<float>.Count; i++) result = MathF.Max(result, v[i]);
        return result;
    }

    // Cody–Waite reduction and the minimax polynomial of Cephes' expf; error below 2 ulp.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Exp(Vector512<float> x)
    {
        var n = Vector512.Round(x * Vector512.Create(Log2E));
        var r = Vector512.FusedMultiplyAdd(n, Vector512.Create(-Ln2High), x);
        r = Vector512.FusedMultiplyAdd(n, Vector512.Create(-Ln2Low), r);
        var p = Vector512.Create(1.9875691500e-4f);
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(1.3981999507e-3f));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(8.3334519073e-3f));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(4.1665795894e-2f));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(1.6666665459e-1f));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(5.0000001201e-1f));
        p = Vector512.FusedMultiplyAdd(p, r * r, r + Vector512<float>.One);
        var power = (Vector512.ConvertToInt32Native(n) + Vector512.Create(127)) << 23;
        return Vector512.ConditionalSelect(Vector512.LessThan(x, Vector512.Create(Smallest)), Vector512<float>.Zero, p * power.AsSingle());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Exp(Vector256<float> x)
    {
        var n = Vector256.Round(x * Vector256.Create(Log2E));
        var r = Vector256.FusedMultiplyAdd(n, Vector256.Create(-Ln2High), x);
        r = Vector256.FusedMultiplyAdd(n, Vector256.Create(-Ln2Low), r);
        var p = Vector256.Create(1.9875691500e-4f);
        p = Vector256.FusedMultiplyAdd(p, r, Vector256.Create(1.3981999507e-3f));
        p = Vector256.FusedMultiplyAdd(p, r, Vector256.Create(8.3334519073e-3f));
        p = Vector256.FusedMultiplyAdd(p, r, Vector256.Create(4.1665795894e-2f));
        p = Vector256.FusedMultiplyAdd(p, r, Vector256.Create(1.6666665459e-1f));
        p = Vector256.FusedMultiplyAdd(p, r, Vector256.Create(5.0000001201e-1f));
        p = Vector256.FusedMultiplyAdd(p, r * r, r + Vector256<float>.One);
        var power = (Vector256.ConvertToInt32Native(n) + Vector256.Create(127)) << 23;
        return Vector256.ConditionalSelect(Vector256.LessThan(x, Vector256.Create(Smallest)), Vector256<float>.Zero, p * power.AsSingle());
    }
}
