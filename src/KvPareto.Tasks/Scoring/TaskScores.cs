using KvPareto.Tasks.Catalog;
using KvPareto.Tasks.Metrics;
using KvPareto.Text.Input;

namespace KvPareto.Tasks.Scoring;

/// <summary>The scores of stored predictions, by the task's name in a file; each kind of task brings its own.</summary>
internal static class TaskScores
{
    private static readonly StoredScore[] All = [.. TaskCatalog.Kinds.SelectMany(kind => kind.StoredScores ?? [])];

    /// <summary>All tasks, joined by commas, for messages.</summary>
    public static string Names => string.Join(", ", All.Select(score => score.Task));

    /// <summary>Score of one prediction, 0 to 1.</summary>
    /// <param name="stored">The prediction.</param>
    /// <param name="jieba">Folder of jieba's data, or null.</param>
    /// <exception cref="ConfigException">Names file, line and field.</exception>
    public static double Of(StoredPrediction stored, string? jieba)
    {
        var score = Array.Find(All, score => stored.Task == score.Task || stored.Task == score.Alias)
            ?? throw stored.Row.Error(
                stored.TaskField, $"is '{OneLine.Of(stored.Task)}', of which no predictions are scored; allowed: {Names}");
        try
        {
            return score.Score(stored, jieba);
        }
        catch (FormatException)
        {
            throw stored.Row.Error(stored.PredictionField, "is no list of four log likelihoods; allowed: [-1.5, -0.5, -2.25, -3]");
        }
        catch (ScoreBudgetException error)
        {
            throw stored.Row.Error(stored.PredictionField, $"cannot be scored: {error.Message}");
        }
    }
}
