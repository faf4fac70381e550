using KvPareto.Sweep.Frontier;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Fidelity;

/// <summary>A setting among those that it can be compared with.</summary>
/// <param name="Row">Its row.</param>
/// <param name="OnFrontier">No other setting needs at most as many bits, diverges at most as much, and is better in one of the two.</param>
internal sealed record FidelityPoint(FidelityRow Row, bool OnFrontier)
{
    /// <summary>Points by rising bits, then divergence, then name.</summary>
    /// <exception cref="ConfigException">The rows are of several models, texts, lengths or windows.</exception>
    public static IReadOnlyList<FidelityPoint> Of(IReadOnlyList<FidelityRow> rows)
    {
        var kinds = rows.Select(row => $"{row.Model}, {row.Text}, {row.Tokens} tokens, window {row.Window}").Distinct().ToList();
        if (kinds.Count > 1)
        {
            throw new ConfigException($"the rows are of several kinds: {string.Join("; ", kinds)}"
                + "; allowed: rows of one model, text, length and window");
        }
        FidelityRow[] sorted =
        [
            .. rows.OrderBy(row => row.BitsPerElement).ThenBy(row => row.KlMean).ThenBy(row => row.Setting, StringComparer.Ordinal),
        ];
        var onFrontier = ParetoFrontier.NonDominated([.. sorted.Select(row => new[] { row.BitsPerElement, row.KlMean })], [false, false]);
        return [.. sorted.Zip(onFrontier, (row, on) => new FidelityPoint(row, on))];
    }
}
