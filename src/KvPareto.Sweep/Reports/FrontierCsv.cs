using KvPareto.Sweep.Frontier;

namespace KvPareto.Sweep.Reports;

/// <summary>
/// <c>frontier.csv</c>: the non-dominated points of every model. docs/results-csv.md tells every column's unit and meaning.
/// </summary>
internal static class FrontierCsv
{
    /// <summary>All columns; times come last.</summary>
    internal static readonly IReadOnlyList<CsvColumn<Row>> Columns =
    [
        new("model", row => row.Point.Trial.Model) { IsText = true },
        new("model_digest", row => row.Point.Trial.ModelDigest) { IsText = true },
        new("setting", row => row.Point.Trial.Setting) { IsText = true },
        new("context", row => CsvFormat.Whole(row.Point.Trial.Context)),
        new("trial", row => row.Point.Trial.TrialId) { IsText = true },
        new("device", row => row.Point.Trial.Device) { IsText = true },
        new("instructions", row => row.Point.Trial.Instructions) { IsText = true },
        new("limit", row => CsvFormat.Whole(row.Point.Trial.Limit)),
        new("total_peak_bytes", row => CsvFormat.Whole(row.Point.PeakBytes)),
        new("memory_saved_percent", row => CsvFormat.Percent(row.Point.MemorySavedPercent)),
        new("score", row => CsvFormat.Points(row.Point.Score)),
        new("score_se", row => CsvFormat.Points(row.Point.StandardError)),
        new("ci_low", row => CsvFormat.Points(row.Point.Interval.Low)),
        new("ci_high", row => CsvFormat.Points(row.Point.Interval.High)),
        new("score_loss", row => CsvFormat.Points(row.Point.ScoreLoss)),
        new("score_loss_se", row => CsvFormat.Points(row.Point.Loss?.StandardError)),
        new("score_loss_ci_low", row => CsvFormat.Points(row.Point.ScoreLossInterval?.Low)),
        new("score_loss_ci_high", row => CsvFormat.Points(row.Point.ScoreLossInterval?.High)),
        new("score_loss_p", row => CsvFormat.Share(row.Point.Loss?.P)),
        new("frontier_confidence", row => CsvFormat.Share(1 - row.Point.DominatedShare)),
        new("frontier_all", row => CsvFormat.Flag(row.Point.OnOverallFrontier)),
        new("frontier_all_confidence", row => CsvFormat.Share(1 - row.Point.OverallDominatedShare)),
        new("near_ties", row => string.Join(' ', row.Model.NearTies(row.Point).Select(tie => tie.Trial.Setting))) { IsText = true },
        new("hypervolume_percent", row => CsvFormat.Percent(row.Model.HypervolumePercent)),
        new("reference_bytes", row => CsvFormat.Whole((long)row.Model.ReferenceBytes)),
        new("reference_score", row => CsvFormat.Points(ModelFrontier.ReferenceScore)),
        new("ttft_ms", row => CsvFormat.Milliseconds(row.Point.Trial.TtftMs)),
        new("tpot_ms", row => CsvFormat.Milliseconds(row.Point.Trial.TpotMs)),
    ];

    /// <summary>The whole file, by model and rising peak.</summary>
    public static byte[] Write(FrontierAnalysis analysis) => CsvTable.Write(
        Columns, analysis.Models.SelectMany(model => model.Frontier.Select(point => new Row(model, point))));

    /// <summary>A non-dominated point and its model.</summary>
    internal sealed record Row(ModelFrontier Model, FrontierPoint Point);
}
