namespace KvPareto.Tasks.Scoring;

/// <summary>One stored prediction and its score.</summary>
/// <param name="Line">1-based line of the file.</param>
/// <param name="Task">Task, as the row or the file names it.</param>
/// <param name="Score">0 to 1.</param>
public sealed record ScoredPrediction(int Line, string Task, double Score);
