using System.Runtime.Intrinsics;

namespace KvPareto.Cpu.Kernels;

/// <summary>
/// The orthonormal Walsh–Hadamard transform in natural (Sylvester) order, in place: x ← x·H with H[i, j] = (−1)^popcount(i &amp; j)/√n.
/// H is symmetric and its own inverse.
/// </summary>
internal static unsafe class Hadamard
{
    /// <summary>Transforms <paramref name="count"/> rows of <paramref name="width"/> elements, a power of two, one after the
    /// other.</summary>
    public static void Transform(float* rows, int count, int width)
    {
        for (var row = 0; row < count; row++) Transform(rows + (long)row * width, width);
    }

    /// <summary>Transforms one row.</summary>
    public static void Transform(float* row, int width)
    {
        for (var half = 1; half < width; half *= 2)
        {
            for (var block = 0; block < width; block += 2 * half)
            {
                float* low = row + block, high = low + half;
                var i = 0;
                for (; i + Vector256<float>.Count <= half; i += Vector256<float>.Count)
                {
                    var (a, b) = (Vector256.Load(low + i), Vector256.Load(high + i));
                    (a + b).Store(low + i);
                    (a - b).Store(high + i);
                }
                for (; i < half; i++) (low[i], high[i]) = (low[i] + high[i], low[i] - high[i]);
            }
        }
        var scale = 1 / MathF.Sqrt(width);
        for (var i = 0; i < width; i++) row[i] *= scale;
    }
}
