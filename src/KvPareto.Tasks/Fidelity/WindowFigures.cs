using KvPareto.Tasks.Predictions;

namespace KvPareto.Tasks.Fidelity;

/// <summary>Sums up the positions of windows.</summary>
public static class WindowFigures
{
    /// <summary>The figures over all positions of some windows; every position counts the same.</summary>
    /// <param name="windows">At least one.</param>
    /// <exception cref="ArithmeticException">A perplexity is beyond all bounds.</exception>
    public static FidelityFigures Of(IReadOnlyCollection<WindowFidelity> windows)
    {
        double[] sorted = [.. windows.SelectMany(window => window.Divergences).Order()];
        var figures = new FidelityFigures(
            Perplexity(windows.SelectMany(window => window.Surprises)),
            Perplexity(windows.SelectMany(window => window.ReferenceSurprises)),
            sorted.Average(),
            Quantile(sorted, 0.5),
            Quantile(sorted, 0.99),
            sorted[^1],
            windows.Sum(window => (double)window.SameTop) / sorted.Length,
            Perplexity(windows.SelectMany(window => SecondHalf(window.Surprises, window))),
            windows.SelectMany(window => SecondHalf(window.Divergences, window)).DefaultIfEmpty().Average());
        return double.IsFinite(figures.Ppl) ? figures : throw new ArithmeticException("the perplexity is not finite");
    }

    // A text that nothing is predicted of has the perplexity of a certain one.
    private static double Perplexity(IEnumerable<double> surprises) => Math.Exp(surprises.DefaultIfEmpty().Average());

    private static IEnumerable<double> SecondHalf(IReadOnlyList<double> positions, WindowFidelity window)
    {
        var tokens = window.Divergences.Count;
        return positions.Take(tokens - 1).Skip(tokens / 2);
    }

    private static double Quantile(double[] sorted, double share)
    {
        var place = share * (sorted.Length - 1);
        var below = (int)place;
        return below + 1 < sorted.Length ? sorted[below] + (place - below) * (sorted[below + 1] - sorted[below]) : sorted[below];
    }
}
