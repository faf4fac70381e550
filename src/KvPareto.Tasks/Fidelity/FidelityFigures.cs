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
public sealed record FidelityFigures(double Ppl, double ReferencePpl, double KlMean, double KlP50, double KlP99, double KlMax, double Top1)
{
    private static readonly JsonSerializerOptions Options = new() { PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    /// <summary>The figures over all positions of some windows; every position counts the same.</summary>
    /// <param name="windows">At least one.</param>
    /// <exception cref="ArithmeticException">A perplexity is beyond all bounds.</exception>
    public static FidelityFigures Of(IReadOnlyCollection<WindowFidelity> windows)
    {
        double[] sorted = [.. windows.SelectMany(window => window.Divergences).Order()];
        // A window of one token predicts nothing; its perplexity is that of a certain text.
        var predicted = Math.Max(1, sorted.Length - windows.Count);
        var figures = new FidelityFigures(
            Math.Exp(windows.Sum(window => window.Surprise) / predicted),
            Math.Exp(windows.Sum(window => window.ReferenceSurprise) / predicted),
            sorted.Average(),
            Quantile(sorted, 0.5),
            Quantile(sorted, 0.99),
            sorted[^1],
            windows.Sum(window => (double)window.SameTop) / sorted.Length);
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

    private static double Quantile(double[] sorted, double share)
    {
        var place = share * (sorted.Length - 1);
        var below = (int)place;
        return below + 1 < sorted.Length ? sorted[below] + (place - below) * (sorted[below + 1] - sorted[below]) : sorted[below];
    }
}
