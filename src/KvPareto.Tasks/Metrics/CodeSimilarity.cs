using KvPareto.Text.Input;

namespace KvPareto.Tasks.Metrics;

/// <summary>
/// LongBench's <c>code_sim_score</c>: the first predicted line that looks like code, compared by fuzzywuzzy 0.18.0's <c>ratio</c> as it is
/// without python-Levenshtein (with that package installed the same function returns other values).
/// </summary>
internal static class CodeSimilarity
{
    /// <summary>Score of one prediction, 0 to 1 in hundredths. Lines holding a backtick, '#' or "//" are passed over.</summary>
    public static double Score(string prediction, string answer, ScoreBudget? budget = null)
    {
        var line = Array.Find(prediction.TrimStart('\n').Split('\n'), LooksLikeCode) ?? "";
        return Ratio(line, answer, budget) / 100.0;
    }

    private static bool LooksLikeCode(string line) =>
        line.AsSpan().IndexOfAny('`', '#') < 0 && !line.Contains("//", StringComparison.Ordinal);

    private static int Ratio(string left, string right, ScoreBudget? budget)
    {
        if (left == right) return 100;
        if (left.Length == 0 || right.Length == 0) return 0;
        var ratio = SequenceMatcher.Ratio(PythonText.CodePoints(left), PythonText.CodePoints(right), budget);
        return (int)Math.Round(100 * ratio, MidpointRounding.ToEven);
    }
}
