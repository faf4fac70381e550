using System.Globalization;
using KvPareto.Sweep.Frontier;
using ScottPlot;

namespace KvPareto.Sweep.Reports.Pictures;

/// <summary>Each task's score with its 95 % interval for the baseline and the frontier's settings: a panel for each model and
/// task.</summary>
internal sealed class TasksFigure : Figure
{
    private const int LeastTasks = 2;

    private static readonly IReadOnlyList<CsvColumn<Row>> Columns =
    [
        new("model", row => row.Model.Model) { IsText = true },
        new("setting", row => row.Point.Trial.Setting) { IsText = true },
        new("baseline", row => CsvFormat.Flag(row.Point.IsBaseline)),
        new("frontier", row => CsvFormat.Flag(row.Point.OnFrontier)),
        new("task", row => row.Task.Name) { IsText = true },
        new("score", row => CsvFormat.Points(row.Task.Score.Mean)),
        new("se", row => CsvFormat.Points(row.Task.Score.StandardError)),
        new("ci_low", row => CsvFormat.Points(row.Task.Score.Interval?.Low)),
        new("ci_high", row => CsvFormat.Points(row.Task.Score.Interval?.High)),
        new("loss", row => CsvFormat.Points(row.Task.Loss?.Points)),
        new("loss_se", row => CsvFormat.Points(row.Task.Loss?.StandardError)),
        new("loss_ci_low", row => CsvFormat.Points(row.Task.Loss?.Interval.Low)),
        new("loss_ci_high", row => CsvFormat.Points(row.Task.Loss?.Interval.High)),
        new("loss_p", row => CsvFormat.Share(row.Task.Loss?.P)),
    ];

    private readonly FrontierAnalysis _analysis;
    private readonly ReportOptions _options;
    private readonly List<(ModelFrontier Model, string Task)> _panels;
    private readonly int _omitted;

    /// <summary>The figure of an analysis.</summary>
    public TasksFigure(FrontierAnalysis analysis, ReportOptions options)
    {
        (_analysis, _options) = (analysis, options);
        _panels =
        [
            .. from model in analysis.Models
               let tasks = model.Points.SelectMany(point => point.Trial.Scores).Select(score => score.Task).Distinct().ToList()
               where tasks.Count >= LeastTasks
               from task in tasks
               select (model, task),
        ];
        _omitted = Math.Max(0, _panels.Count - FrontierFigure.MaxPanels);
        _panels.RemoveRange(_panels.Count - _omitted, _omitted);
    }

    /// <inheritdoc/>
    public override string Name => "tasks";

    /// <inheritdoc/>
    public override string? Missing => _panels.Count == 0 ? "no model was scored on several tasks" : null;

    /// <inheritdoc/>
    public override string Title => $"{_options.Run}: each task by itself";

    /// <inheritdoc/>
    public override IReadOnlyList<string> Facts =>
    [
        "bars: 95 % intervals", "dashed: the baseline", "baseline and frontier settings",
        .. _omitted == 0 ? Array.Empty<string>() : [string.Create(CultureInfo.InvariantCulture, $"{_omitted} more in tasks.csv")],
    ];

    /// <inheritdoc/>
    public override int PanelColumns => Math.Min(2, _panels.Count);

    /// <inheritdoc/>
    public override (float Width, float Height) PlotSize => (180, 8 + 14 * _panels.Max(panel => FrontierBars.Of(panel.Model).Count));

    /// <inheritdoc/>
    public override byte[] Csv() => CsvTable.Write(Columns, _analysis.Models.SelectMany(model => model.Points.SelectMany(point =>
        point.Tasks.Select(task => new Row(model, point, task)))));

    /// <inheritdoc/>
    public override IReadOnlyList<Panel> Panels() => _panels.ConvertAll(panel =>
        Panel(panel.Model, panel.Task, _panels.TrueForAll(other => other.Model == panel.Model) ? "" : panel.Model.Model));

    private static Panel Panel(ModelFrontier model, string task, string note)
    {
        var rows = FrontierBars.Of(model);
        var scores = rows.ConvertAll(point => point.Tasks.FirstOrDefault(estimate => estimate.Name == task)?.Score);
        List<double> bounds = [.. scores.OfType<ScoreEstimate>().SelectMany(score => new[] { Low(score), High(score) })];
        var panel = new Panel(
            Axis.Score(bounds.DefaultIfEmpty(0).Min(), bounds.DefaultIfEmpty(100).Max()),
            Axis.Categories([.. rows.Select(FrontierBars.Label)], ""), task, note);
        if (rows.FindIndex(point => point.IsBaseline) is >= 0 and var baseline && scores[baseline] is { } before)
        {
            var across = panel.At(before.Mean, 0).X;
            panel.AddLine([new(across, 0), new(across, 1)], Look.Frame, 1.1f, new LinePattern([5, 3.5f], 0, "baseline"));
        }
        for (var i = 0; i < rows.Count; i++)
        {
            if (scores[i] is not { } score) continue;
            var color = rows[i].IsBaseline ? Look.Ink : Look.Palette[0];
            panel.AddLine([panel.At(Low(score), i), panel.At(High(score), i)], color, 1.2f);
            var at = panel.At(score.Mean, i);
            new PointMarker(PointShape.Circle, Starred: false).AddTo(panel.Plot, at.X, at.Y, color);
        }
        return panel;
    }

    private static double Low(ScoreEstimate score) => score.Interval?.Low ?? score.Mean;

    private static double High(ScoreEstimate score) => score.Interval?.High ?? score.Mean;

    private sealed record Row(ModelFrontier Model, FrontierPoint Point, TaskEstimate Task);
}
