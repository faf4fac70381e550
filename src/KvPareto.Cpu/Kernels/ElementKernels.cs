using System.Numerics;
using System.Numerics.Tensors;

namespace KvPareto.Cpu.Kernels;

/// <summary>Row-wise kernels between the matrix products.</summary>
internal static unsafe class ElementKernels
{
    /// <summary>y = x / sqrt(mean(x²) + ε) · gain over one group of columns.</summary>
    public static void RmsNorm(ReadOnlySpan<float> x, ReadOnlySpan<float> gain, float epsilon, Span<float> y)
    {
        var scale = 1 / MathF.Sqrt(TensorPrimitives.SumOfSquares(x) / x.Length + epsilon);
        TensorPrimitives.Multiply(x, scale, y);
        TensorPrimitives.Multiply(y, gain, y);
    }

    /// <summary>Turns the pairs (i, i + n) of each head of one row, n the number of cosines.</summary>
    public static void Rope(Span<float> row, int headDim, ReadOnlySpan<float> cos, ReadOnlySpan<float> sin)
    {
        var half = cos.Length;
        for (var head = 0; head < row.Length; head += headDim)
        {
            var low = row.Slice(head, half);
            var high = row.Slice(head + half, half);
            var i = 0;
            for (; i + Vector<float>.Count <= half; i += Vector<float>.Count)
            {
                var (a, b) = (new Vector<float>(low[i..]), new Vector<float>(high[i..]));
                var (c, s) = (new Vector<float>(cos[i..]), new Vector<float>(sin[i..]));
                (a * c - b * s).CopyTo(low[i..]);
                (b * c + a * s).CopyTo(high[i..]);
            }
            for (; i < half; i++)
            {
                var (a, b) = (low[i], high[i]);
                low[i] = a * cos[i] - b * sin[i];
                high[i] = b * cos[i] + a * sin[i];
            }
        }
    }

    /// <summary>gate = gate / (1 + exp(−gate)) · up.</summary>
    public static void SiluMul(Span<float> gate, ReadOnlySpan<float> up)
    {
        const int Part = 256;
        Span<float> sigmoid = stackalloc float[Part];
        for (var i = 0; i < gate.Length; i += Part)
        {
            var count = Math.Min(Part, gate.Length - i);
            var g = gate.Slice(i, count);
            var s = sigmoid[..count];
            TensorPrimitives.Sigmoid(g, s);
            TensorPrimitives.Multiply(g, s, g);
            TensorPrimitives.Multiply(g, up.Slice(i, count), g);
        }
    }
}
