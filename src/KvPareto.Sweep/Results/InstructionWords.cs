namespace KvPareto.Sweep.Results;

/// <summary>What is said where trials were measured with different instructions.</summary>
internal static class InstructionWords
{
    /// <summary>What follows from it.</summary>
    public const string Consequence = "scores of settings with very few bits may differ by that alone";

    private const string Joint = " + ";

    /// <summary>Several hosts' words in one cell, each once; null of none.</summary>
    public static string? Join(IEnumerable<string?> words)
    {
        string[] distinct = [.. words.OfType<string>().Distinct().Order(StringComparer.Ordinal)];
        return distinct.Length == 0 ? null : string.Join(Joint, distinct);
    }

    /// <summary>All that is in several such cells.</summary>
    public static IReadOnlyList<string> All(IEnumerable<string?> cells) =>
        [.. cells.OfType<string>().SelectMany(cell => cell.Split(Joint)).Distinct().Order(StringComparer.Ordinal)];

    /// <summary>A line where trials differ; else none.</summary>
    public static IEnumerable<string> Mixed(IEnumerable<TrialResult> results)
    {
        var all = All(results.Select(result => result.Instructions));
        if (all.Count > 1) yield return $"trials were measured with {string.Join(" and with ", all)}: {Consequence}";
    }
}
