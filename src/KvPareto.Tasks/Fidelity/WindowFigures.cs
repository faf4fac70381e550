using KvPareto.Engine.Cache;
using KvPareto.Tasks.Predictions;

namespace KvPareto.Tasks.Fidelity;

/// <summary>The figures of windows: the one place that makes them.</summary>
public static class WindowFigures
{
    /// <summary>What is kept of a window.</summary>
    /// <param name="window">The window.</param>
    /// <param name="geometry">The model's cache.</param>
    /// <exception cref="NotFiniteNumberException">A perplexity is beyond all bounds.</exception>
    public static FidelityPrediction Of(WindowFidelity window, KvGeometry geometry)
    {
        var bytesPerToken = (double)window.CacheBytes / window.Tokens;
        return new(
            Of(window),
            8 * bytesPerToken / (2.0 * geometry.LayerCount * geometry.KvHeads * geometry.HeadDim),
            bytesPerToken,
            [.. window.Divergences.Select(divergence => (float)divergence)]);
    }

    /// <summary>The figures over all positions of a window.</summary>
    /// <exception cref="NotFiniteNumberException">A perplexity is beyond all bounds.</exception>
    public static FidelityFigures Of(WindowFidelity window)
    {
        double[] sorted = [.. window.Divergences.Order()];
        var figures = new FidelityFigures(
            Perplexity(window.Surprises),
            Perplexity(window.ReferenceSurprises),
            sorted.Average(),
            Quantile(sorted, 0.5),
            Quantile(sorted, 0.99),
            sorted[^1],
            (double)window.SameTop / sorted.Length,
            Perplexity(SecondHalf(window.Surprises, window)),
            SecondHalf(window.Divergences, window).DefaultIfEmpty().Average());
        return double.IsFinite(figures.Ppl) ? figures : throw new NotFiniteNumberException("the perplexity is not finite");
    }

    /// <summary>The figures over all positions of some windows of one length; every position counts the same.</summary>
    /// <param name="windows">At least one.</param>
    public static FidelityFigures Pooled(IReadOnlyCollection<FidelityPrediction> windows)
    {
        double[] sorted = [.. windows.SelectMany(window => window.Divergences).Select(divergence => (double)divergence).Order()];
        FidelityFigures[] all = [.. windows.Select(window => window.Figures)];
        return new(
            Math.Exp(all.Average(figures => Math.Log(figures.Ppl))),
            Math.Exp(all.Average(figures => Math.Log(figures.ReferencePpl))),
            all.Average(figures => figures.KlMean),
            Quantile(sorted, 0.5),
            Quantile(sorted, 0.99),
            all.Max(figures => figures.KlMax),
            all.Average(figures => figures.Top1),
            Math.Exp(all.Average(figures => Math.Log(figures.PplSecondHalf))),
            all.Average(figures => figures.KlSecondHalf));
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
