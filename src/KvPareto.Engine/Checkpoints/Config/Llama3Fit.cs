using KvPareto.Engine.Rotary;

namespace KvPareto.Engine.Checkpoints.Config;

/// <summary>
/// Finds Llama 3.1's scaling in the divisors of frequencies that GGUF files have in its place. With t the turns of a pair per position,
/// 1/divisor is 1/factor + (1 − 1/factor)·s, where s = (t·original − low)/(high − low) wherever it is between 0 and 1.
/// </summary>
internal static class Llama3Fit
{
    private const double Tolerance = 1e-6;

    // Of original, low and high only the ratios count: low is 1, as published, and original is rounded to a whole number.
    private const double Low = 1;
    private const double PublishedHigh = 4;
    private const int PublishedPositions = 8192;
    private const int Digits = 3;

    /// <summary>A scaling whose frequencies are those of the divisors, to 1e-6 of each; null where there is none.</summary>
    /// <param name="theta">Base.</param>
    /// <param name="divisors">[D/2], all above 0 and finite.</param>
    public static Llama3Scaling? Find(double theta, float[] divisors)
    {
        var plain = RopeFrequencies.Default(2 * divisors.Length, theta).InverseFrequencies;
        var factor = (double)divisors.Max();
        return Candidates(plain, divisors, factor).FirstOrDefault(scaling => IsReadable(scaling) && Fits(theta, scaling, plain, divisors));
    }

    private static IEnumerable<Llama3Scaling> Candidates(float[] plain, float[] divisors, double factor)
    {
        yield return new(factor, Low, PublishedHigh, PublishedPositions);
        if (Line(plain, divisors, factor) is not var (slope, intercept) || slope <= 0 || intercept >= 0) yield break;
        var (high, original) = (Low - Low / intercept, -Low * slope / intercept);
        if (!(original < ModelConfigReader.MostPositions)) yield break;
        var positions = (int)Math.Max(1, Math.Round(original));
        yield return new(factor, Low, Math.Round(high, Digits), positions);
        var scale = positions / original;
        yield return new(factor, scale * Low, scale * high, positions);
    }

    /// <summary>s as a line over t; null where nothing says where it lies.</summary>
    private static (double Slope, double Intercept)? Line(float[] plain, float[] divisors, double factor)
    {
        var blended = Enumerable.Range(0, plain.Length)
            .Where(i => divisors[i] > 1 + Tolerance && divisors[i] < factor * (1 - Tolerance))
            .Select(i => (Turns: plain[i] / (2 * Math.PI), Smooth: (1 / (double)divisors[i] - 1 / factor) / (1 - 1 / factor)))
            .ToArray();
        if (blended.Length == 0) return null;
        var (first, last) = (blended[0], blended[^1]);
        var intercept = -Low / (PublishedHigh - Low);
        if (blended.Length == 1) return ((first.Smooth - intercept) / first.Turns, intercept);
        var slope = (first.Smooth - last.Smooth) / (first.Turns - last.Turns);
        return (slope, first.Smooth - slope * first.Turns);
    }

    private static bool IsReadable(Llama3Scaling scaling) =>
        scaling.Factor <= RopeReader.LargestFactor && scaling.LowFactor >= RopeReader.LeastFactor
            && scaling.HighFactor <= RopeReader.LargestFactor
            && scaling.HighFactor > scaling.LowFactor;

    private static bool Fits(double theta, Llama3Scaling scaling, float[] plain, float[] divisors)
    {
        var frequencies = RopeFrequencies.Llama3(2 * plain.Length, theta, scaling).InverseFrequencies;
        for (var i = 0; i < plain.Length; i++)
            if (!(Math.Abs(frequencies[i] / (plain[i] / divisors[i]) - 1) <= Tolerance)) return false;
        return true;
    }
}
