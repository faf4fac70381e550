namespace KvPareto.Tasks.Scoring;

/// <summary>A row of a run's <c>samples/</c>, which was scored when it was measured: <c>task</c>, <c>sample</c>, <c>score</c> and
/// <c>parts</c>.</summary>
internal static class RunSample
{
    /// <summary>Whether a row is one.</summary>
    public static bool IsOne(JsonRow row) => row.Has("sample") && row.Has("score");

    /// <summary>Its score, and those of its parts as TASK/PART.</summary>
    public static IEnumerable<ScoredPrediction> Read(JsonRow row)
    {
        var (task, parts) = (row.Text("task"), row.Inner("parts"));
        List<ScoredPrediction> scores = [new(row.Line, task, row.Number("score", 0, 1))];
        foreach (var part in parts.Fields()) scores.Add(new(row.Line, $"{task}/{part}", parts.Number(part, 0, 1)));
        return scores;
    }
}
