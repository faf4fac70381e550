using KvPareto.Sweep.Reports;

namespace KvPareto.Sweep.Answers.Objectives;

/// <summary>The table of <c>kvpareto frontier</c>: one line a setting, those that are dominated too. docs/answers.md has the
/// columns.</summary>
internal static class ObjectiveCsv
{
    /// <summary>The whole file, by model and the objectives in their order.</summary>
    public static byte[] Write(IReadOnlyList<ObjectiveFrontier> models, IReadOnlyList<Objective> objectives) =>
        CsvTable.Write(Columns(objectives), models.SelectMany(model => model.Points.Select(point => new Row(model, point))));

    private static List<CsvColumn<Row>> Columns(IReadOnlyList<Objective> objectives) =>
    [
        new("model", row => row.Model.Model) { IsText = true },
        new("setting", row => row.Point.Trial.Setting) { IsText = true },
        new("trial", row => row.Point.Trial.TrialId) { IsText = true },
        .. objectives.Select((objective, i) => new CsvColumn<Row>(objective.Column, row => objective.Cell(row.Point.Values[i]))),
        new("ci_low", row => CsvFormat.Points(row.Point.Interval?.Low)),
        new("ci_high", row => CsvFormat.Points(row.Point.Interval?.High)),
        new("score_loss", row => CsvFormat.Points(row.Point.Loss)),
        new("score_loss_ci_low", row => CsvFormat.Points(row.Point.LossInterval?.Low)),
        new("score_loss_ci_high", row => CsvFormat.Points(row.Point.LossInterval?.High)),
        new("frontier", row => CsvFormat.Flag(row.Point.OnFrontier)),
        new("dominated_confidence", row => CsvFormat.Share(row.Point.DominatedShare)),
        new("hypervolume_percent", row => CsvFormat.Percent(row.Model.HypervolumePercent)),
        .. objectives.Select(
            (objective, i) => new CsvColumn<Row>($"reference_{objective.Column}", row => objective.Cell(row.Model.Reference[i]))),
    ];

    private sealed record Row(ObjectiveFrontier Model, ObjectivePoint Point);
}
