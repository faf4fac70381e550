using System.Text.Json.Nodes;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Settings;
using KvPareto.Sweep.Frontier;
using KvPareto.Sweep.Journaling;
using KvPareto.Sweep.Results;

namespace KvPareto.Sweep.Reports.Html;

/// <summary>What <c>report.html</c> shows, as JSON. Its scripts read these keys; those of samples are <see cref="SampleData"/>'s.</summary>
internal static class PageData
{
    private const int ScoreDecimals = 4;
    private const int TimeDecimals = 3;
    private const int ChanceDecimals = 6;

    /// <summary>All data of the page.</summary>
    public static JsonObject Of(string folder, FrontierAnalysis analysis, ReportOptions options)
    {
        var settings = analysis.Models.SelectMany(model => model.Points).Select(point => FrontierAnalysis.SettingOf(point.Trial))
            .OfType<InferenceSetting>().ToList();
        var axes = SettingAxes.All.SelectMany(axis => axis.Columns)
            .Where(column => settings.Select(column.Cell).Distinct().Count() > 1).Select(column => (column.Name, column.Cell)).ToList();
        var trials = analysis.Models.SelectMany(model => model.Points).Select(point => point.Trial).ToList();
        return new()
        {
            ["run"] = options.Run,
            ["baseline"] = options.Baseline,
            ["messages"] = Texts(options.Notes.Concat(analysis.Messages)),
            ["axes"] = Texts(axes.Select(axis => axis.Name)),
            ["models"] = new JsonArray([.. analysis.Models.Select(model => Model(model, axes))]),
            ["samples"] = SampleData.Of(trials, trial => options.SamplesOf(folder, trial)),
            ["provenance"] = Provenance(folder),
        };
    }

    private static JsonObject Model(ModelFrontier model, IReadOnlyList<(string Name, Func<InferenceSetting, string?> Cell)> axes) => new()
    {
        ["name"] = model.Model,
        ["hypervolume"] = Math.Round(model.HypervolumePercent, ScoreDecimals),
        ["points"] = new JsonArray([.. model.Points.Select(point => Point(point, axes))]),
        ["unscored"] = new JsonArray([.. model.Unscored.Select(cost => new JsonObject
        {
            ["setting"] = cost.Trial.Setting,
            ["peak"] = cost.PeakBytes,
            ["saved"] = Score(cost.MemorySavedPercent),
            ["ttft"] = Time(cost.Trial.TtftMs),
            ["tpot"] = Time(cost.Trial.TpotMs),
        })]),
        ["failed"] = Reasons(model.Failed),
        ["dropped"] = Reasons(model.Dropped),
    };

    private static JsonArray Reasons(IEnumerable<UnplacedTrial> trials) =>
        new([.. trials.Select(trial => new JsonObject { ["setting"] = trial.Trial.Setting, ["reason"] = trial.Reason })]);

    private static JsonObject Point(FrontierPoint point, IReadOnlyList<(string Name, Func<InferenceSetting, string?> Cell)> axes)
    {
        var trial = point.Trial;
        var setting = FrontierAnalysis.SettingOf(trial);
        return new()
        {
            ["trial"] = SampleData.KeyOf(trial),
            ["setting"] = trial.Setting,
            ["axes"] = Texts(axes.Select(axis => setting is null ? "" : axis.Cell(setting) ?? "")),
            ["peak"] = point.PeakBytes,
            ["score"] = Score(point.Score),
            ["interval"] = Interval(point.Interval),
            ["error"] = Score(point.StandardError),
            ["saved"] = Score(point.MemorySavedPercent),
            ["loss"] = Score(point.ScoreLoss),
            ["lossInterval"] = point.ScoreLossInterval is { } loss ? Interval(loss) : null,
            ["p"] = Chance(point.Loss?.P),
            ["holmP"] = Chance(point.HolmP),
            ["isFrontier"] = point.OnFrontier,
            ["isBaseline"] = point.IsBaseline,
            ["dominated"] = Score(point.DominatedShare),
            ["ttft"] = Time(trial.TtftMs),
            ["tpot"] = Time(trial.TpotMs),
            ["kind"] = CsvFormat.Kind(trial.Peaks.Kind),
            ["memory"] = new JsonObject
            {
                ["peak"] = Memory(trial.Peaks.Inference),
                ["load"] = Memory(trial.Peaks.Load),
                ["prefill"] = Memory(trial.Peaks.Prefill),
                ["decode"] = Memory(trial.Peaks.Decode),
            },
            ["tasks"] = new JsonArray([.. trial.Scores.Select(score => Task(point, score))]),
        };
    }

    private static JsonObject Task(FrontierPoint point, TaskScore score)
    {
        var estimate = point.Tasks.FirstOrDefault(task => task.Name == score.Task);
        return new()
        {
            ["name"] = SampleData.NameOf(point.Trial, score.Task),
            ["samples"] = score.Samples,
            ["mean"] = Score(score.Mean),
            ["error"] = Score(estimate?.Score.StandardError),
            ["interval"] = estimate?.Score.Interval is { } interval ? Interval(interval) : null,
            ["loss"] = Score(estimate?.Loss?.Points),
            ["lossInterval"] = estimate?.Loss is { } loss ? Interval(loss.Interval) : null,
            ["p"] = Chance(estimate?.Loss?.P),
            ["parts"] = new JsonArray([.. (score.Parts ?? []).Select(part => new JsonArray(part.Name, Score(part.Mean)))]),
        };
    }

    // What run.json says, without the list of trials, which the page shows in full, and architectures, which say nothing to people.
    private static JsonObject? Provenance(string folder)
    {
        if (RunFile.TryRead(folder) is not (RunRecord run, _)) return null;
        var record = JsonNode.Parse(JournalJson.WriteLine(run with { Trials = [], Architectures = null }))!.AsObject();
        record.Remove("trials");
        return record;
    }

    private static JsonArray Memory(MemoryUse use) => new(use.Weights, use.KvCache, use.Activations, use.Workspace);

    private static JsonArray Interval(ScoreInterval interval) => new(Score(interval.Low), Score(interval.High));

    private static JsonValue? Score(double? value) => value is { } number && double.IsFinite(number)
        ? JsonValue.Create(Math.Round(number, ScoreDecimals) + 0.0) : null;

    private static JsonValue? Chance(double? value) =>
        value is { } number && double.IsFinite(number) ? JsonValue.Create(Math.Round(number, ChanceDecimals)) : null;

    private static JsonValue? Time(double? value) => value is { } number ? JsonValue.Create(Math.Round(number, TimeDecimals)) : null;

    private static JsonArray Texts(IEnumerable<string> texts) => new([.. texts.Select(text => JsonValue.Create(text))]);
}
