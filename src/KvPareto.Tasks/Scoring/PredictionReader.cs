using System.Text.Json;
using KvPareto.Tasks.Mmlu;
using KvPareto.Tasks.Predictions;
using KvPareto.Text.Input;

namespace KvPareto.Tasks.Scoring;

/// <summary>
/// Reads predictions in the forms that programs store them in, told by their fields: this program's own (<c>task</c>, <c>prediction</c>,
/// <c>answers</c>, <c>all_classes</c>), LongBench's (<c>pred</c>, <c>answers</c>, <c>all_classes</c>; the task is the file's name), RULER's
/// (<c>pred</c>, <c>outputs</c>; likewise) and lm-evaluation-harness's (<see cref="HarnessRow"/>).
/// </summary>
/// <param name="stem">The file's name without folder and ending; null for standard input.</param>
/// <param name="task">What <c>--task</c> says, or null.</param>
internal sealed class PredictionReader(string? stem, string? task)
{
    private const string Option = "--task";

    /// <summary>Reads a row.</summary>
    /// <exception cref="ConfigException">Names file, line and field.</exception>
    public StoredPrediction Read(JsonRow row)
    {
        if (HarnessRow.IsOne(row)) return HarnessRow.Read(row, Named(row, stem is null ? null : HarnessRow.TaskOf(stem)), NameField);
        var isLongBench = row.Has("pred");
        var field = isLongBench ? "pred" : "prediction";
        var (name, place) = row.Has("task") ? (row.Text("task"), "task")
            : isLongBench ? (Named(row, stem), NameField)
            : (task ?? throw row.Error("task", $"is missing; allowed: a task in the row, or {Option} NAME with one of {TaskScores.Names}"),
                Option);
        var answers = row.Texts(row.Has("outputs") ? "outputs" : "answers");
        var text = name == MmluTask.DefaultName && row.Find(field) is { ValueKind: JsonValueKind.Array } likelihoods
            ? likelihoods.GetRawText() : row.Text(field);
        return new(row, name, place, new TextPrediction(text), field, answers, row.OptionalTexts("all_classes"));
    }

    private string NameField => task is null ? "(the file's name)" : Option;

    private string Named(JsonRow row, string? fromName) => task ?? fromName
        ?? throw row.Error(
            "task", $"is missing, and standard input has no name to take it from; allowed: {Option} NAME with one of {TaskScores.Names}");
}
