using System.Numerics;
using System.Numerics.Tensors;

namespace KvPareto.Tasks.Fidelity;

/// <summary>Two next-token distributions at one position.</summary>
/// <param name="Divergence">KL(reference ‖ setting) in nats.</param>
/// <param name="SameTop">Both have their largest logit at one token (the first, where several are largest).</param>
/// <param name="Surprise">−ln of the probability that the setting gives to the text's next token, in nats; 0 without one.</param>
/// <param name="ReferenceSurprise">The same of the reference.</param>
internal readonly record struct RowComparison(double Divergence, bool SameTop, double Surprise, double ReferenceSurprise)
{
    /// <summary>Next token of a position that has none.</summary>
    public const int NoNext = -1;

    /// <summary>
    /// Compares two rows of logits in double precision. With p, q the softmaxes of a, b, and a, b counted from their maxima:
    /// KL(p ‖ q) = Σ eᵃ(a − b) / Σ eᵃ + ln Σ eᵇ − ln Σ eᵃ, so that rows with the same bits have none.
    /// </summary>
    /// <param name="reference">a [V].</param>
    /// <param name="setting">b [V].</param>
    /// <param name="next">The text's next token, or <see cref="NoNext"/>.</param>
    /// <returns>A <see cref="Divergence"/> that is not finite where a logit is not.</returns>
    public static RowComparison Of(ReadOnlySpan<float> reference, ReadOnlySpan<float> setting, int next)
    {
        var (topA, topB) = (TensorPrimitives.IndexOfMax(reference), TensorPrimitives.IndexOfMax(setting));
        double maxA = reference[topA], maxB = setting[topB];
        var (sumA, sumB, weighted) = Sums(reference, setting[..reference.Length], maxA, maxB);
        var (logA, logB) = (Math.Log(sumA), Math.Log(sumB));
        var divergence = Math.Max(0, weighted / sumA + logB - logA);
        return next == NoNext
            ? new(divergence, topA == topB, 0, 0)
            : new(divergence, topA == topB, logB - (setting[next] - maxB), logA - (reference[next] - maxA));
    }

    private static (double SumA, double SumB, double Weighted) Sums(ReadOnlySpan<float> a, ReadOnlySpan<float> b, double maxA, double maxB)
    {
        var (sumA, sumB, weighted) = (Vector<double>.Zero, Vector<double>.Zero, Vector<double>.Zero);
        var (fromA, fromB) = (new Vector<double>(maxA), new Vector<double>(maxB));
        var i = 0;
        for (; i <= a.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            Vector.Widen(new Vector<float>(a[i..]), out var lowA, out var highA);
            Vector.Widen(new Vector<float>(b[i..]), out var lowB, out var highB);
            Add(lowA - fromA, lowB - fromB, ref sumA, ref sumB, ref weighted);
            Add(highA - fromA, highB - fromB, ref sumA, ref sumB, ref weighted);
        }
        var (restA, restB, rest) = (Vector.Sum(sumA), Vector.Sum(sumB), Vector.Sum(weighted));
        for (; i < a.Length; i++)
        {
            var (x, y) = (a[i] - maxA, b[i] - maxB);
            var e = Math.Exp(x);
            restA += e;
            restB += Math.Exp(y);
            rest += e * (x - y);
        }
        return (restA, restB, rest);
    }

    private static void Add(
        Vector<double> a, Vector<double> b, ref Vector<double> sumA, ref Vector<double> sumB, ref Vector<double> weighted)
    {
        var e = Vector.Exp(a);
        sumA += e;
        sumB += Vector.Exp(b);
        weighted += e * (a - b);
    }
}
