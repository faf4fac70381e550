using KvPareto.Tasks.Gsm8k;
using KvPareto.Tasks.LongBench;
using KvPareto.Tasks.Metrics.Chinese;
using KvPareto.Tasks.Mmlu;
using KvPareto.Tasks.Niah;
using KvPareto.Text.Input;

namespace KvPareto.Tasks.Scoring;

/// <summary>One stored prediction and its score.</summary>
/// <param name="Line">1-based line of the file.</param>
/// <param name="Task">Task, as the row names it.</param>
/// <param name="Score">0 to 1.</param>
public sealed record ScoredPrediction(int Line, string Task, double Score);

/// <summary>
/// Scores stored predictions without the model: rows with the fields <c>task</c>, <c>prediction</c>, <c>answers</c> and, for
/// classification, <c>all_classes</c>. Tasks are LongBench's, scored as its <c>eval.py</c> does; "niah", whose answers are key phrases;
/// "gsm8k", "gsm8k-cot" and "gsm8k-flexible", whose answers are solutions; and "mmlu", whose predictions are the log likelihoods of the
/// four choices as a JSON list in a string, and whose answers letters.
/// </summary>
public static class PredictionScorer
{
    private const string Gsm8kFlexible = $"{Gsm8kTask.DefaultName}-{Gsm8kTask.Flexible}";
    private const string OtherTasks = $"{NiahOptions.DefaultName}, {Gsm8kTask.DefaultName}, {Gsm8kTask.CotName}, {Gsm8kFlexible}, {MmluTask.DefaultName}";

    /// <summary>The rows of a JSON Lines file (or <c>.jsonl.gz</c>) with their scores, read one at a time and in order.</summary>
    /// <param name="path">The file.</param>
    /// <param name="jieba">Folder of jieba's data, read at the first row whose score needs it; null where none does.</param>
    /// <exception cref="ConfigException">
    /// While reading: the file, a row or jieba's data are damaged, or a task is unknown or needs those data; names file, line and field.
    /// </exception>
    public static IEnumerable<ScoredPrediction> ScoreFile(string path, string? jieba = null)
    {
        foreach (var row in JsonLines.Read(path))
        {
            var task = row.Text("task");
            yield return new ScoredPrediction(row.Line, task, Score(row, task, jieba));
        }
    }

    private static double Score(JsonRow row, string task, string? jieba) => task switch
    {
        NiahOptions.DefaultName => ScoreNeedle(row),
        Gsm8kTask.DefaultName => ScoreGsm8k(row, Gsm8kAnswer.Strict(row.Text("prediction"), Gsm8kFormat.Hash)),
        Gsm8kTask.CotName => ScoreGsm8k(row, Gsm8kAnswer.Strict(row.Text("prediction"), Gsm8kFormat.Cot)),
        Gsm8kFlexible => ScoreGsm8k(row, Gsm8kAnswer.Flexible(row.Text("prediction"))),
        MmluTask.DefaultName => ScoreMmlu(row),
        _ => ScoreLongBench(row, task, jieba),
    };

    private static double ScoreGsm8k(JsonRow row, string answer) => Gsm8kTask.Score(answer, row.Texts("answers"));

    private static double ScoreMmlu(JsonRow row)
    {
        try
        {
            return MmluTask.Score(row.Text("prediction"), row.Texts("answers"));
        }
        catch (FormatException)
        {
            throw row.Error("prediction", "is no list of four log likelihoods; allowed: \"[-1.5, -0.5, -2.25, -3]\"");
        }
    }

    private static double ScoreNeedle(JsonRow row) => Needle.Score(row.Text("prediction"), row.Texts("answers"));

    private static double ScoreLongBench(JsonRow row, string task, string? jieba)
    {
        if (!LongBenchDataset.TryFind(task, out var dataset, out var problem)) throw row.Error("task", $"{problem}, {OtherTasks}");
        if (dataset.NeedsSegmenter && jieba is null) throw row.Error("task", dataset.SegmenterMissing("--jieba"));
        var (prediction, answers, allClasses) = (row.Text("prediction"), row.Texts("answers"), row.OptionalTexts("all_classes"));
        if (dataset.FindProblem(answers, allClasses) is { } found) throw row.Error(found.Field, found.Problem);
        return dataset.Score(prediction, answers, allClasses, dataset.NeedsSegmenter ? ChineseSegmenter.Open(jieba!) : null);
    }
}
