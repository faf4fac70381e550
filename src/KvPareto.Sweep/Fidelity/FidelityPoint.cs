using KvPareto.Sweep.Frontier;

namespace KvPareto.Sweep.Fidelity;

/// <summary>A setting among those that it can be compared with.</summary>
/// <param name="Row">Its row.</param>
/// <param name="OnFrontier">No other setting needs at most as many bits, diverges at most as much, and is better in one of the two.</param>
internal sealed record FidelityPoint(FidelityRow Row, bool OnFrontier)
{
    /// <summary>
    /// Points by rising bits, then divergence, then name, of one model, text, length and window after the other, which are compared apart.
    /// </summary>
    public static IReadOnlyList<FidelityPoint> Of(IReadOnlyList<FidelityRow> rows) =>
    [
        .. rows.GroupBy(row => (row.Model, row.Text, row.Tokens, row.Window)).OrderBy(group => group.Key.Model, StringComparer.Ordinal)
            .ThenBy(group => group.Key.Text, StringComparer.Ordinal).ThenBy(group => (group.Key.Tokens, group.Key.Window))
            .SelectMany(Compared),
    ];

    /// <summary>Whether two rows are compared with each other.</summary>
    public bool IsBeside(FidelityPoint other) =>
        (Row.Model, Row.Text, Row.Tokens, Row.Window) == (other.Row.Model, other.Row.Text, other.Row.Tokens, other.Row.Window);

    private static IEnumerable<FidelityPoint> Compared(IEnumerable<FidelityRow> rows)
    {
        FidelityRow[] sorted =
        [
            .. rows.OrderBy(row => row.BitsPerElement).ThenBy(row => row.KlMean).ThenBy(row => row.Setting, StringComparer.Ordinal),
        ];
        var onFrontier = ParetoFrontier.NonDominated([.. sorted.Select(row => new[] { row.BitsPerElement, row.KlMean })], [false, false]);
        return sorted.Zip(onFrontier, (row, on) => new FidelityPoint(row, on));
    }
}
