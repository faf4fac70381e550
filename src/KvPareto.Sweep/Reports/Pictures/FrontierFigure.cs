using System.Globalization;
using KvPareto.Engine;
using KvPareto.Sweep.Frontier;
using KvPareto.Sweep.Results;
using SkiaSharp;

namespace KvPareto.Sweep.Reports.Pictures;

/// <summary>Score over total peak memory with the frontier, a panel for each model: figure 2 of KV Pareto (arXiv 2512.01953).</summary>
internal sealed class FrontierFigure : Figure
{
    /// <summary>Models that a figure shows; more would be too small to read.</summary>
    public const int MaxPanels = 12;

    private const double SharedScoreFactor = 2;
    private const int NamedTasks = 8;

    private readonly FrontierAnalysis _analysis;
    private readonly ReportOptions _options;
    private readonly List<ModelFrontier> _models;
    private readonly SettingLook _look;

    /// <summary>The figure of an analysis.</summary>
    public FrontierFigure(FrontierAnalysis analysis, ReportOptions options)
    {
        (_analysis, _options) = (analysis, options);
        _models = [.. analysis.Models.Where(model => model.Points.Count > 0)];
        Omitted = Math.Max(0, _models.Count - MaxPanels);
        _models.RemoveRange(_models.Count - Omitted, Omitted);
        var others = Points.Where(point => !point.IsBaseline).ToList();
        _look = new(
            others.Select(point => FrontierAnalysis.SettingOf(point.Trial)),
            others.Where(point => point.OnFrontier).Select(point => FrontierAnalysis.SettingOf(point.Trial)));
    }

    /// <inheritdoc/>
    public override string Name => "frontier";

    /// <inheritdoc/>
    public override string? Missing => _models.Count == 0 ? "no trial has a score" : null;

    /// <summary>Models that have a result but no panel.</summary>
    public int Omitted { get; }

    /// <inheritdoc/>
    public override string Title => $"{_options.Run}: accuracy against total peak memory";

    /// <inheritdoc/>
    public override int PanelColumns => ColumnsFor(_models.Count);

    /// <inheritdoc/>
    public override (float Width, float Height) PlotSize => (356, _models.Count == 1 ? 260 : 210);

    /// <summary>What trials were scored on.</summary>
    public static string TaskWords(IEnumerable<TrialResult> trials)
    {
        var tasks = trials.SelectMany(trial => trial.Scores).Select(score => score.Task).Distinct().ToList();
        return tasks.Count <= NamedTasks ? (tasks.Count == 1 ? "task " : "tasks ") + string.Join(", ", tasks) : $"{tasks.Count} tasks";
    }

    /// <inheritdoc/>
    public override IReadOnlyList<string> Facts
    {
        get
        {
            var samples = Points.Select(point => point.Trial.Samples).Distinct().Order().ToList();
            return
            [
                TaskWords(Points.Select(point => point.Trial)),
                samples.Count == 1
                    ? $"{CountText.Of(samples[0], "sample")} a setting"
                    : string.Create(CultureInfo.InvariantCulture, $"{samples[0]:N0} to {samples[^1]:N0} samples a setting"),
                .. _look.CommonFacts,
            ];
        }
    }

    /// <inheritdoc/>
    public override IEnumerable<IReadOnlyList<LegendEntry>> Legend
    {
        get
        {
            List<LegendEntry> lines =
            [
                new("frontier", 2 * Look.StarRadius, (canvas, at) =>
                    new PointMarker(PointShape.Circle, Starred: true).Draw(canvas, at, Look.Muted)),
            ];
            if (Points.Any(point => point.IsBaseline)) lines.Add(new($"baseline {_options.Baseline}", 30, DrawBaseline));
            lines.Add(new("95 % interval", 6, DrawInterval));
            return [lines, .. Pictures.Legend.Of(_look)];
        }
    }

    private IEnumerable<FrontierPoint> Points => _models.SelectMany(model => model.Points);

    /// <inheritdoc/>
    public override byte[] Csv() => FrontierCsv.Write(_analysis);

    /// <inheritdoc/>
    public override IReadOnlyList<Panel> Panels()
    {
        var scores = ScoreAxes();
        return [.. _models.Zip(scores, (model, score) => new FrontierPanel(model, score, _look).Draw())];
    }

    /// <summary>Panels side by side: few models fill a column of a paper, more a page.</summary>
    internal static int ColumnsFor(int models) => models switch { <= 3 => 1, <= 6 => 2, _ => 3 };

    /// <summary>One axis for all where that costs no model much of its height, else one each.</summary>
    private List<Axis> ScoreAxes()
    {
        var ranges = _models.ConvertAll(model => (
            Low: model.Points.Min(point => Math.Min(point.Score, point.Interval.Low)),
            High: model.Points.Max(point => Math.Max(point.Score, point.Interval.High))));
        var all = (Low: ranges.Min(range => range.Low), High: ranges.Max(range => range.High));
        var narrowest = ranges.Min(range => range.High - range.Low);
        return all.High - all.Low <= SharedScoreFactor * narrowest
            ? [.. Enumerable.Repeat(Axis.Score(all.Low, all.High), _models.Count)]
            : ranges.ConvertAll(range => Axis.Score(range.Low, range.High));
    }

    private static void DrawBaseline(SKCanvas canvas, Position at)
    {
        using var line = new SKPaint
        {
            Color = Look.Frame.ToSKColor(),
            IsStroke = true,
            StrokeWidth = 1.1f,
            IsAntialias = true,
            PathEffect = SKPathEffect.CreateDash([5, 3.5f], 0),
        };
        using var ring = new SKPaint { Color = Look.Ink.ToSKColor(), IsStroke = true, StrokeWidth = 1.2f, IsAntialias = true };
        canvas.DrawLine((float)at.X - 15, (float)at.Y, (float)at.X + 15, (float)at.Y, line);
        canvas.DrawCircle((float)at.X, (float)at.Y, 0.6f * (float)Look.RingRadius, ring);
    }

    private static void DrawInterval(SKCanvas canvas, Position at)
    {
        const float Half = 5.5f;
        using var line = new SKPaint { Color = Look.Muted.ToSKColor(), IsStroke = true, StrokeWidth = 0.9f, IsAntialias = true };
        var (x, y) = ((float)at.X, (float)at.Y);
        canvas.DrawLine(x, y - Half, x, y + Half, line);
        canvas.DrawLine(x - 2.4f, y - Half, x + 2.4f, y - Half, line);
        canvas.DrawLine(x - 2.4f, y + Half, x + 2.4f, y + Half, line);
    }
}
