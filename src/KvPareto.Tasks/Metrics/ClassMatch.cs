namespace KvPareto.Tasks.Metrics;

/// <summary>LongBench's <c>classification_score</c>: 1 / (number of classes named) where the true class is among them, else 0.</summary>
internal static class ClassMatch
{
    /// <summary>Score of one prediction, 0 to 1. Class names are sought as they stand, case included.</summary>
    public static double Score(string prediction, string answer, IReadOnlyList<string> allClasses, ScoreBudget? budget = null)
    {
        budget ??= new();
        var named = allClasses.Where(name => budget.Holds(prediction, name)).ToList();
        // The original removes from the list that it is walking, so the name after a removed one is never looked at.
        for (var i = 0; i < named.Count; i++)
        {
            if (!budget.Holds(answer, named[i]) || named[i] == answer) continue;
            budget.Spend(named.Count);
            named.Remove(named[i]);
        }
        return named.Contains(answer, StringComparer.Ordinal) ? 1.0 / named.Count : 0;
    }
}
