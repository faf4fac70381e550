using KvPareto.Sweep.Frontier;
using ScottPlot;
using SkiaSharp;

namespace KvPareto.Sweep.Reports.Pictures;

/// <summary>
/// What each axis does to score and peak by itself, two panels an axis: thin lines join settings that differ on that axis alone,
/// thick ones are the mean of a model's lines that have every value.
/// </summary>
internal sealed class AblationFigure : Figure
{
    private static readonly IReadOnlyList<CsvColumn<Row>> Columns =
    [
        new("axis", row => row.Ablation.Axis.Title) { IsText = true },
        new("model", row => row.Series.Model) { IsText = true },
        new("others", row => row.Series.Others) { IsText = true },
        new("value", row => row.Point.Value.Text),
        new("setting", row => row.Point.Point.Trial.Setting) { IsText = true },
        new("score", row => CsvFormat.Points(row.Point.Point.Score)),
        new("ci_low", row => CsvFormat.Points(row.Point.Point.Interval.Low)),
        new("ci_high", row => CsvFormat.Points(row.Point.Point.Interval.High)),
        new("total_peak_bytes", row => CsvFormat.Whole(row.Point.Point.PeakBytes)),
        new("score_less_first", row => CsvFormat.Points(row.Point.Point.Score - row.Series.Points[0].Point.Score)),
        new("peak_percent_of_first", row => CsvFormat.Percent(100.0 * row.Point.Point.PeakBytes / row.Series.Points[0].Point.PeakBytes)),
    ];

    private readonly ReportOptions _options;
    private readonly IReadOnlyList<Ablation> _ablations;
    private readonly List<string> _models;

    /// <summary>The figure of an analysis.</summary>
    public AblationFigure(FrontierAnalysis analysis, ReportOptions options)
    {
        _options = options;
        _ablations = Ablation.Of([.. analysis.Models.Take(Look.Palette.Count)]);
        _models = [.. _ablations.SelectMany(ablation => ablation.Series).Select(series => series.Model).Distinct()];
    }

    /// <inheritdoc/>
    public override string Name => "ablation";

    /// <inheritdoc/>
    public override string? Missing => _ablations.Count == 0 ? "no two settings differ on one axis alone" : null;

    /// <inheritdoc/>
    public override string Title => $"{_options.Run}: one axis at a time";

    /// <inheritdoc/>
    public override IReadOnlyList<string> Facts => ["thin: settings that differ on that axis alone", "thick: their mean"];

    /// <inheritdoc/>
    public override int PanelColumns => 2;

    /// <inheritdoc/>
    public override (float Width, float Height) PlotSize => (190, 120);

    /// <inheritdoc/>
    public override IEnumerable<IReadOnlyList<LegendEntry>> Legend =>
        [[.. _models.Select((model, i) => new LegendEntry(model, 18, (canvas, at) => DrawLine(canvas, at, Look.Palette[i])))]];

    /// <inheritdoc/>
    public override byte[] Csv() => CsvTable.Write(Columns, _ablations.SelectMany(ablation => ablation.Series.SelectMany(series =>
        series.Points.Select(point => new Row(ablation, series, point)))));

    /// <inheritdoc/>
    public override IReadOnlyList<Panel> Panels() =>
    [
        .. _ablations.SelectMany(ablation => new[]
        {
            Panel(ablation, point => point.Score, scores => Axis.Score(scores.Min(), scores.Max())),
            Panel(ablation, point => point.PeakBytes, peaks => Axis.BytesFromZero((long)peaks.Max())),
        }),
    ];

    private Panel Panel(Ablation ablation, Func<FrontierPoint, double> measure, Func<IReadOnlyList<double>, Axis> axis)
    {
        var all = ablation.Series.SelectMany(series => series.Points).Select(point => measure(point.Point)).ToList();
        var panel = new Panel(Axis.Categories([.. ablation.Values.Select(value => value.Text)], ""), axis(all), ablation.Axis.Title);
        foreach (var series in ablation.Series)
        {
            var color = Look.Palette[_models.IndexOf(series.Model)];
            var places = series.Points.Select(point => panel.At(Place(ablation, point.Value), measure(point.Point))).ToList();
            panel.AddLine(places, color.WithAlpha(0.4), 0.8f);
            foreach (var at in places)
                new PointMarker(PointShape.Circle, Starred: false).AddTo(panel.Plot, at.X, at.Y, color.WithAlpha(0.6));
        }
        foreach (var model in ablation.Series.GroupBy(series => series.Model))
        {
            var whole = model.Where(series => series.Points.Count == ablation.Values.Count).ToList();
            if (whole.Count < 2) continue;
            var means = ablation.Values.Select((_, i) => panel.At(i, whole.Average(series => measure(series.Points[i].Point)))).ToList();
            panel.AddLine(means, Look.Palette[_models.IndexOf(model.Key)], 2.2f);
        }
        return panel;
    }

    private static int Place(Ablation ablation, AxisValue value) =>
        ablation.Values.Select((other, i) => (other.Text, Place: i)).First(other => other.Text == value.Text).Place;

    private static void DrawLine(SKCanvas canvas, Position at, Color color)
    {
        using var line = new SKPaint { Color = color.ToSKColor(), IsStroke = true, StrokeWidth = 2.2f, IsAntialias = true };
        canvas.DrawLine((float)at.X - 9, (float)at.Y, (float)at.X + 9, (float)at.Y, line);
    }

    private sealed record Row(Ablation Ablation, AblationSeries Series, AblationPoint Point);
}
