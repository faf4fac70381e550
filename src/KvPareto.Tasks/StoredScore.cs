namespace KvPareto.Tasks;

/// <summary>How the predictions of a task are scored that a file holds.</summary>
/// <param name="Task">The task's name in files.</param>
/// <param name="Score">Score of one, 0 to 1, with the folder of jieba's data or null.</param>
internal sealed record StoredScore(string Task, Func<StoredPrediction, string?, double> Score)
{
    /// <summary>Another name of the task in files, or null.</summary>
    public string? Alias { get; init; }
}
