namespace KvPareto.Tasks.Metrics;

/// <summary>Whether texts stand in a prediction, in whatever case: RULER's <c>string_match_all</c> and <c>string_match_part</c>.</summary>
internal static class StringMatch
{
    /// <summary>The share of the answers that the prediction holds; 0 where there are none.</summary>
    public static double All(string prediction, IReadOnlyList<string> answers) =>
        answers.Count == 0 ? 0 : answers.Average(answer => Holds(prediction, answer) ? 1.0 : 0.0);

    /// <summary>1 where the prediction holds one of the answers, else 0.</summary>
    public static double Any(string prediction, IReadOnlyList<string> answers) =>
        answers.Any(answer => Holds(prediction, answer)) ? 1 : 0;

    private static bool Holds(string prediction, string answer) => prediction.Contains(answer, StringComparison.OrdinalIgnoreCase);
}
