using KvPareto.Tasks.Gsm8k;
using KvPareto.Tasks.LongBench;
using KvPareto.Tasks.Metrics;
using KvPareto.Tasks.Metrics.Chinese;
using KvPareto.Tasks.Mmlu;
using KvPareto.Tasks.Niah;
using KvPareto.Text.Input;

namespace KvPareto.Tasks.Scoring;

/// <summary>
/// The scores of stored predictions by task: LongBench's, scored as its <c>eval.py</c> does; "niah", whose answers are key phrases;
/// "gsm8k",
/// "gsm8k-cot" and "gsm8k-flexible", whose answers are solutions; and "mmlu", whose predictions are the log likelihoods of the four choices
/// as a
/// JSON list in a string, and whose answers letters.
/// </summary>
internal static class TaskScores
{
    /// <summary>GSM8K by its last number.</summary>
    public const string Gsm8kFlexible = $"{Gsm8kTask.DefaultName}-{Gsm8kTask.Flexible}";

    private const string OtherTasks =
        $"{NiahOptions.DefaultName}, {Gsm8kTask.DefaultName}, {Gsm8kTask.CotName}, {Gsm8kFlexible}, {MmluTask.DefaultName}";

    /// <summary>All tasks, joined by commas, for messages.</summary>
    public static string Names => $"{LongBenchDataset.Names}, {OtherTasks}";

    /// <summary>Score of one prediction, 0 to 1.</summary>
    /// <param name="stored">The prediction.</param>
    /// <param name="jieba">Folder of jieba's data, or null.</param>
    /// <exception cref="ConfigException">Names file, line and field.</exception>
    public static double Of(StoredPrediction stored, string? jieba)
    {
        var (prediction, answers) = (stored.Prediction, stored.Answers);
        try
        {
            return stored.Task switch
            {
                NiahOptions.DefaultName => Needle.Score(prediction, answers),
                Gsm8kTask.DefaultName => Gsm8kTask.Score(Gsm8kAnswer.Strict(prediction, Gsm8kFormat.Hash), answers),
                Gsm8kTask.CotName => Gsm8kTask.Score(Gsm8kAnswer.Strict(prediction, Gsm8kFormat.Cot), answers),
                Gsm8kFlexible => Gsm8kTask.Score(Gsm8kAnswer.Flexible(prediction), answers),
                MmluTask.DefaultName => MmluTask.Score(prediction, answers),
                _ => OfLongBench(stored, jieba),
            };
        }
        catch (FormatException)
        {
            throw stored.Row.Error(stored.PredictionField, "is no list of four log likelihoods; allowed: \"[-1.5, -0.5, -2.25, -3]\"");
        }
        catch (ScoreBudgetException error)
        {
            throw stored.Row.Error(stored.PredictionField, $"cannot be scored: {error.Message}");
        }
    }

    private static double OfLongBench(StoredPrediction stored, string? jieba)
    {
        if (!LongBenchDataset.TryFind(stored.Task, out var dataset, out var problem))
            throw stored.Row.Error(stored.TaskField, $"{problem}, {OtherTasks}");
        if (dataset.NeedsSegmenter && jieba is null) throw stored.Row.Error(stored.TaskField, dataset.SegmenterMissing("--jieba"));
        if (dataset.FindProblem(stored.Answers, stored.AllClasses) is { } found) throw stored.Row.Error(found.Field, found.Problem);
        return dataset.Score(
            stored.Prediction, stored.Answers, stored.AllClasses, dataset.NeedsSegmenter ? ChineseSegmenter.Open(jieba!) : null);
    }
}
