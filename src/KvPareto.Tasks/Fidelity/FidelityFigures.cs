using System.Text.Json;

namespace KvPareto.Tasks.Fidelity;

/// <summary>How near a setting stays to its reference over some windows of a text.</summary>
/// <param name="Ppl">Perplexity: exp of the mean surprise over the W − 1 predicted tokens of each window.</param>
/// <param name="ReferencePpl">The reference's own.</param>
/// <param name="KlMean">Mean KL(reference ‖ setting) over all positions, in nats.</param>
/// <param name="KlP50">Median.</param>
/// <param name="KlP99">99 % quantile, linear between the two nearest positions.</param>
/// <param name="KlMax">Largest.</param>
/// <param name="Top1">Share of positions with the same likeliest token, 0 to 1.</param>
/// <param name="PplSecondHalf">Perplexity over the predictions made from W/2 tokens or more: what llama.cpp's perplexity tool
/// counts.</param>
/// <param name="KlSecondHalf">Mean KL over the same positions, W/2 to W − 2 from 0.</param>
public sealed record FidelityFigures(
    double Ppl,
    double ReferencePpl,
    double KlMean,
    double KlP50,
    double KlP99,
    double KlMax,
    double Top1,
    double PplSecondHalf,
    double KlSecondHalf)
{
    private static readonly JsonSerializerOptions Options = new() { PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

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

    /// <summary>One line of JSON; <see cref="Parse"/> reads it.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, Options);

    /// <summary>Reads what <see cref="ToJson"/> wrote.</summary>
    /// <exception cref="FormatException">The text is something else.</exception>
    public static FidelityFigures Parse(string json)
    {
        try
        {
            return JsonSerializer.Deserialize<FidelityFigures>(json, Options) ?? throw new FormatException("no fidelity figures: null");
        }
        catch (JsonException error)
        {
            throw new FormatException($"no fidelity figures: {error.Message}", error);
        }
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
