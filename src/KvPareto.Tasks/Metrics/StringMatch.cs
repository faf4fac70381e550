using KvPareto.Text.Input;

namespace KvPareto.Tasks.Metrics;

/// <summary>Whether texts stand in a prediction, in whatever case: RULER's <c>string_match_all</c> and <c>string_match_part</c>, which
/// compare by Python's <c>lower()</c>.</summary>
internal static class StringMatch
{
    /// <summary>The share of the answers that the prediction holds; 0 where there are none.</summary>
    /// <exception cref="ScoreBudgetException">There are too many, and the prediction is too long.</exception>
    public static double All(string prediction, IReadOnlyList<string> answers) =>
        answers.Count == 0 ? 0 : Held(prediction, answers).Average(isHeld => isHeld ? 1.0 : 0.0);

    /// <summary>1 where the prediction holds one of the answers, else 0.</summary>
    /// <exception cref="ScoreBudgetException">As for <see cref="All"/>.</exception>
    public static double Any(string prediction, IReadOnlyList<string> answers) => Held(prediction, answers).Any(isHeld => isHeld) ? 1 : 0;

    private static IEnumerable<bool> Held(string prediction, IReadOnlyList<string> answers)
    {
        var (text, budget) = (PythonCase.Lower(prediction), new ScoreBudget());
        return answers.Select(answer => budget.Holds(text, PythonCase.Lower(answer)));
    }
}
