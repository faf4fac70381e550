using KvPareto.Engine.Seam;
using KvPareto.Engine.Settings;
using KvPareto.Sweep.Frontier;
using KvPareto.Sweep.Results;

namespace KvPareto.Sweep.Reports;

/// <summary><c>results.csv</c>: one line a trial. docs/results-csv.md tells every column's unit and meaning.</summary>
internal static class ResultsCsv
{
    /// <summary>The whole file, by model, setting, context and trial.</summary>
    public static byte[] Write(FrontierAnalysis analysis)
    {
        var rows = analysis.Models
            .SelectMany(model => model.Points.Select(point => new Row(point.Trial, point, null, model.Noise)))
            .Concat(analysis.Models.SelectMany(model => model.Unscored)
                .Select(cost => new Row(cost.Trial, null, null, null) { Cost = cost }))
            .Concat(analysis.Models.SelectMany(model => model.Unplaced).Select(failed => new Row(failed.Trial, null, failed.Reason, null)))
            .OrderBy(row => row.Trial.Model, StringComparer.Ordinal)
            .ThenBy(row => row.Trial.Setting, StringComparer.Ordinal)
            .ThenBy(row => row.Trial.Context ?? int.MaxValue)
            .ThenBy(row => row.Trial.TrialId, StringComparer.Ordinal)
            .ToList();
        return CsvTable.Write(Columns([.. rows.Select(row => row.Trial)]), rows);
    }

    /// <summary>All columns; those of the tasks are the ones that the trials have. Times come last.</summary>
    internal static IReadOnlyList<CsvColumn<Row>> Columns(IReadOnlyList<TrialResult> trials) =>
    [
        new("trial", row => row.Trial.TrialId) { IsText = true },
        new("model", row => row.Trial.Model) { IsText = true },
        new("model_digest", row => row.Trial.ModelDigest) { IsText = true },
        new("setting", row => row.Trial.Setting) { IsText = true },
        new("context", row => CsvFormat.Whole(row.Trial.Context)),
        new("device", row => row.Trial.Device) { IsText = true },
        new("instructions", row => row.Trial.Instructions) { IsText = true },
        new("weight_source", row => row.Trial.WeightSource) { IsText = true },
        .. SettingAxes.All.SelectMany(axis => axis.Columns)
            .Select(column => new CsvColumn<Row>(column.Name, row => row.Setting is null ? null : column.Cell(row.Setting))),
        new("samples", row => CsvFormat.Whole(row.Trial.Samples)),
        new("limit", row => CsvFormat.Whole(row.Trial.Limit)),
        new("score", row => CsvFormat.Points(row.Point?.Score)),
        new("score_se", row => CsvFormat.Points(row.Point?.StandardError)),
        new("ci_low", row => CsvFormat.Points(row.Point?.Interval.Low)),
        new("ci_high", row => CsvFormat.Points(row.Point?.Interval.High)),
        .. TaskNames(trials).Select(name =>
            new CsvColumn<Row>($"task:{name}", row => CsvFormat.Points(row.TaskOf(name)?.Score.Mean))),
        new("total_peak_bytes", row => Bytes(row, peaks => peaks.Inference)),
        new("predicted_peak_bytes", row => CsvFormat.Whole(row.Trial.PredictedPeakBytes)),
        new("load_peak_bytes", row => Bytes(row, peaks => peaks.Load)),
        new("prefill_peak_bytes", row => Bytes(row, peaks => peaks.Prefill)),
        new("decode_peak_bytes", row => Bytes(row, peaks => peaks.Decode)),
        new("peak_weights_bytes", row => CsvFormat.Whole(row.Measured?.Peaks.Inference.Weights)),
        new("peak_kv_cache_bytes", row => CsvFormat.Whole(row.Measured?.Peaks.Inference.KvCache)),
        new("peak_activations_bytes", row => CsvFormat.Whole(row.Measured?.Peaks.Inference.Activations)),
        new("peak_workspace_bytes", row => CsvFormat.Whole(row.Measured?.Peaks.Inference.Workspace)),
        new("peak_kind", row => row.Measured is { } trial ? CsvFormat.Kind(trial.Peaks.Kind) : null),
        new("memory_saved_percent", row => CsvFormat.Percent(row.Point?.MemorySavedPercent ?? row.Cost?.MemorySavedPercent)),
        new("score_loss", row => CsvFormat.Points(row.Point?.ScoreLoss)),
        new("score_loss_se", row => CsvFormat.Points(row.Point?.Loss?.StandardError)),
        new("score_loss_ci_low", row => CsvFormat.Points(row.Point?.ScoreLossInterval?.Low)),
        new("score_loss_ci_high", row => CsvFormat.Points(row.Point?.ScoreLossInterval?.High)),
        new("score_loss_p", row => CsvFormat.Share(row.Point?.Loss?.P)),
        new("score_loss_p_holm", row => CsvFormat.Share(row.Point?.HolmP)),
        new("score_noise", row => CsvFormat.Points(row.Noise?.Score)),
        .. TaskNames(trials).SelectMany(StatisticsOf),
        new("frontier", row => CsvFormat.Flag(row.Point?.OnFrontier)),
        new("dominated_confidence", row => CsvFormat.Share(row.Point?.DominatedShare)),
        new("frontier_all", row => CsvFormat.Flag(row.Point?.OnOverallFrontier)),
        new("dominated_all_confidence", row => CsvFormat.Share(row.Point?.OverallDominatedShare)),
        new("status", row => row.Trial.Status) { IsText = true },
        new("failure", row => row.Reason) { IsText = true },
        new("ttft_ms", row => CsvFormat.Milliseconds(row.Trial.TtftMs)),
        new("tpot_ms", row => CsvFormat.Milliseconds(row.Trial.TpotMs)),
        .. SpreadOf("ttft", trial => trial.TtftSpread, noise => noise.TtftPercent),
        .. SpreadOf("tpot", trial => trial.TpotSpread, noise => noise.TpotPercent),
    ];

    /// <summary>The tasks' names in the order in which the trials bring them, those of its parts after each.</summary>
    private static IEnumerable<string> TaskNames(IEnumerable<TrialResult> trials) =>
        trials.SelectMany(TaskSeries.Of).Select(series => series.Name).Distinct(StringComparer.Ordinal);

    private static IEnumerable<CsvColumn<Row>> StatisticsOf(string name) =>
    [
        new($"task_se:{name}", row => CsvFormat.Points(row.TaskOf(name)?.Score.StandardError)),
        new($"task_ci_low:{name}", row => CsvFormat.Points(row.TaskOf(name)?.Score.Interval?.Low)),
        new($"task_ci_high:{name}", row => CsvFormat.Points(row.TaskOf(name)?.Score.Interval?.High)),
        new($"task_loss:{name}", row => CsvFormat.Points(row.TaskOf(name)?.Loss?.Points)),
        new($"task_loss_se:{name}", row => CsvFormat.Points(row.TaskOf(name)?.Loss?.StandardError)),
        new($"task_loss_ci_low:{name}", row => CsvFormat.Points(row.TaskOf(name)?.Loss?.Interval.Low)),
        new($"task_loss_ci_high:{name}", row => CsvFormat.Points(row.TaskOf(name)?.Loss?.Interval.High)),
        new($"task_loss_p:{name}", row => CsvFormat.Share(row.TaskOf(name)?.Loss?.P)),
    ];

    private static IEnumerable<CsvColumn<Row>> SpreadOf(
        string time, Func<TrialResult, TimeSpread?> spread, Func<NoiseFloor, double?> noise) =>
    [
        new($"{time}_min_ms", row => CsvFormat.Milliseconds(spread(row.Trial)?.MinMs)),
        new($"{time}_max_ms", row => CsvFormat.Milliseconds(spread(row.Trial)?.MaxMs)),
        new($"{time}_sd_ms", row => CsvFormat.Milliseconds(spread(row.Trial)?.DeviationMs)),
        new($"{time}_noise_percent", row => CsvFormat.Percent(row.Noise is { } floor ? noise(floor) : null)),
    ];

    /// <summary>Empty rather than zero where a phase was not reached.</summary>
    private static string? Bytes(Row row, Func<MemoryPeaks, MemoryUse> phase) =>
        phase(row.Trial.Peaks).Total is var total && total > 0 ? CsvFormat.Whole(total) : null;

    /// <summary>A trial with its point and its model's noise, or with the reason why it has no point.</summary>
    internal sealed record Row(TrialResult Trial, FrontierPoint? Point, string? Reason, NoiseFloor? Noise)
    {
        private readonly Dictionary<string, TaskEstimate> _tasks =
            (Point?.Tasks ?? []).DistinctBy(task => task.Name).ToDictionary(task => task.Name);

        /// <summary>The trial's costs where its tasks have no score.</summary>
        public CostPoint? Cost { get; init; }

        /// <summary>The trial where it was measured whole.</summary>
        public TrialResult? Measured => Point is null && Cost is null ? null : Trial;

        /// <summary>A task or part by its name; null where the trial has none of it.</summary>
        public TaskEstimate? TaskOf(string name) => _tasks.GetValueOrDefault(name);

        /// <summary>The setting's parts, or null where its name cannot be read.</summary>
        public InferenceSetting? Setting { get; } = FrontierAnalysis.SettingOf(Trial);
    }
}
