using KvPareto.Engine.Seam;
using KvPareto.Engine.Settings;
using KvPareto.Sweep.Frontier;

namespace KvPareto.Sweep.Reports;

/// <summary><c>results.csv</c>: one line a trial. docs/results-csv.md tells every column's unit and meaning.</summary>
internal static class ResultsCsv
{
    /// <summary>The whole file, by model, setting and trial.</summary>
    public static byte[] Write(FrontierAnalysis analysis)
    {
        var rows = analysis.Models.SelectMany(model => model.Points).Select(point => new Row(point.Trial, point, null))
            .Concat(analysis.Models.SelectMany(model => model.Failed).Select(failed => new Row(failed.Trial, null, failed.Reason)))
            .OrderBy(row => row.Trial.Model, StringComparer.Ordinal)
            .ThenBy(row => row.Trial.Setting, StringComparer.Ordinal)
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
        new("weight_source", row => row.Trial.WeightSource) { IsText = true },
        .. SettingAxes.All.SelectMany(axis => axis.Columns)
            .Select(column => new CsvColumn<Row>(column.Name, row => row.Setting is null ? null : column.Cell(row.Setting))),
        new("samples", row => CsvFormat.Whole(row.Trial.Samples)),
        new("score", row => CsvFormat.Points(row.Point?.Score)),
        new("ci_low", row => CsvFormat.Points(row.Point?.Interval.Low)),
        new("ci_high", row => CsvFormat.Points(row.Point?.Interval.High)),
        .. TaskColumns(trials),
        new("total_peak_bytes", row => Bytes(row, peaks => peaks.Inference)),
        new("load_peak_bytes", row => Bytes(row, peaks => peaks.Load)),
        new("prefill_peak_bytes", row => Bytes(row, peaks => peaks.Prefill)),
        new("decode_peak_bytes", row => Bytes(row, peaks => peaks.Decode)),
        new("peak_weights_bytes", row => CsvFormat.Whole(row.Point?.Trial.Peaks.Inference.Weights)),
        new("peak_kv_cache_bytes", row => CsvFormat.Whole(row.Point?.Trial.Peaks.Inference.KvCache)),
        new("peak_activations_bytes", row => CsvFormat.Whole(row.Point?.Trial.Peaks.Inference.Activations)),
        new("peak_workspace_bytes", row => CsvFormat.Whole(row.Point?.Trial.Peaks.Inference.Workspace)),
        new("peak_kind", row => row.Point is { } point ? CsvFormat.Kind(point.Trial.Peaks.Kind) : null),
        new("memory_saved_percent", row => CsvFormat.Percent(row.Point?.MemorySavedPercent)),
        new("score_loss", row => CsvFormat.Points(row.Point?.ScoreLoss)),
        new("score_loss_ci_low", row => CsvFormat.Points(row.Point?.ScoreLossInterval?.Low)),
        new("score_loss_ci_high", row => CsvFormat.Points(row.Point?.ScoreLossInterval?.High)),
        new("frontier", row => CsvFormat.Flag(row.Point?.OnFrontier)),
        new("dominated_confidence", row => CsvFormat.Share(row.Point?.DominatedShare)),
        new("frontier_all", row => CsvFormat.Flag(row.Point?.OnOverallFrontier)),
        new("dominated_all_confidence", row => CsvFormat.Share(row.Point?.OverallDominatedShare)),
        new("status", row => row.Trial.Status) { IsText = true },
        new("failure", row => row.Reason) { IsText = true },
        new("ttft_ms", row => CsvFormat.Milliseconds(row.Trial.TtftMs)),
        new("tpot_ms", row => CsvFormat.Milliseconds(row.Trial.TpotMs)),
    ];

    /// <summary>
    /// A column for each task name, in the order in which the trials bring them; a name's second task is <c>task:NAME#2</c>. Those of
    /// its parts follow it.
    /// </summary>
    private static IEnumerable<CsvColumn<Row>> TaskColumns(IEnumerable<TrialResult> trials) =>
        from heading in trials.SelectMany(Headings).Select(task => task.Heading).Distinct(StringComparer.Ordinal)
        select new CsvColumn<Row>(heading, row => row.Point is null
            ? null
            : CsvFormat.Points(Headings(row.Trial).Where(task => task.Heading == heading)
                .Select(task => (double?)task.Mean).FirstOrDefault()));

    private static IEnumerable<(string Heading, double Mean)> Headings(TrialResult trial) =>
        from name in trial.Scores.GroupBy(score => score.Task)
        from numbered in name.Select((score, index) => (Score: score, Number: index + 1))
        let heading = numbered.Number == 1 ? $"task:{name.Key}" : $"task:{name.Key}#{numbered.Number}"
        from mean in (numbered.Score.Parts ?? []).Select(part => ($"{heading}/{part.Name}", part.Mean))
            .Prepend((heading, numbered.Score.Mean))
        select mean;

    /// <summary>Empty rather than zero where a phase was not reached.</summary>
    private static string? Bytes(Row row, Func<MemoryPeaks, MemoryUse> phase) =>
        phase(row.Trial.Peaks).Total is var total && total > 0 ? CsvFormat.Whole(total) : null;

    /// <summary>A trial with its point, or with the reason why it has none.</summary>
    internal sealed record Row(TrialResult Trial, FrontierPoint? Point, string? Reason)
    {
        /// <summary>The setting's parts, or null where its name cannot be read.</summary>
        public InferenceSetting? Setting { get; } = FrontierAnalysis.SettingOf(Trial);
    }
}
