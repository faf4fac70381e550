using System.Globalization;
using KvPareto.Engine;
using KvPareto.Engine.Settings;
using KvPareto.Sweep.Fidelity;
using KvPareto.Sweep.Frontier;
using ScottPlot;

namespace KvPareto.Sweep.Reports.Pictures;

/// <summary>Mean divergence from the unquantized model over bits of a cached element, with the names of the frontier's settings.</summary>
internal sealed class FidelityFigure : Figure
{
    /// <summary>Names from which on a figure is as wide as a page, not as a column.</summary>
    private const int ManyNames = 12;

    private const string Subject = "fidelity against bits of the KV cache";

    private readonly IReadOnlyList<FidelityPoint> _points;
    private readonly List<List<FidelityPoint>> _groups;
    private readonly SettingLook _look;
    private readonly string? _run;

    /// <summary>The figure of some settings, a panel for those that are compared with each other.</summary>
    /// <param name="points">Settings.</param>
    /// <param name="run">Name of the run that they are of; null for settings that were compared by themselves.</param>
    public FidelityFigure(IReadOnlyList<FidelityPoint> points, string? run = null)
    {
        (_points, _run) = (points, run);
        _groups = [.. points.GroupBy(point => points.First(point.IsBeside)).Take(FrontierFigure.MaxPanels).Select(group => group.ToList())];
        _look = new(
            points.Select(point => FrontierAnalysis.SettingOf(point.Row.Setting)),
            points.Where(point => point.OnFrontier).Select(point => FrontierAnalysis.SettingOf(point.Row.Setting)));
    }

    /// <inheritdoc/>
    public override string Name => "fidelity";

    /// <inheritdoc/>
    public override string? Missing => _points.Count == 0
        ? "no trial was compared with the unquantized model, or the run's samples are not there"
        : null;

    /// <inheritdoc/>
    public override string Title => (_run ?? (Models.Count == 1 ? Models[0] : null)) is { } name ? $"{name}: {Subject}" : Subject;

    /// <inheritdoc/>
    public override int PanelColumns => FrontierFigure.ColumnsFor(_groups.Count);

    /// <inheritdoc/>
    public override (float Width, float Height) PlotSize => _groups.Count == 1 && _points.Count(point => point.OnFrontier) > ManyNames
        ? (700, 480) : (356, 280);

    private List<string> Models => [.. _points.Select(point => point.Row.Model).Distinct()];

    /// <inheritdoc/>
    public override IReadOnlyList<string> Facts
    {
        get
        {
            var texts = _points.Select(point => point.Row).Select(row =>
                string.Create(CultureInfo.InvariantCulture, $"{row.Text}, {row.Tokens} tokens in windows of {row.Window}"));
            return
            [
                .. texts.Distinct().Take(2),
                CountText.Of(_points.Count, "setting"),
                .. _look.CommonFacts,
            ];
        }
    }

    /// <inheritdoc/>
    public override IEnumerable<IReadOnlyList<LegendEntry>> Legend =>
    [
        [
            new("no other has fewer bits and less divergence", 2 * Look.StarRadius,
                (canvas, at) => new PointMarker(PointShape.Circle, Starred: true).Draw(canvas, at, Look.Muted)),
        ],
        .. Pictures.Legend.Of(_look),
    ];

    /// <inheritdoc/>
    public override byte[] Csv() => FidelityCsv.Write(_points);

    /// <inheritdoc/>
    public override IReadOnlyList<Panel> Panels() => [.. _groups.Select(Draw)];

    private Panel Draw(List<FidelityPoint> points)
    {
        // A setting without any divergence has no place on a logarithmic axis; it stands at its foot.
        var least = points.Select(point => point.Row.KlMean).Where(value => value > 0).DefaultIfEmpty(1e-6).Min();
        var divergence = Axis.Logarithmic(least, Math.Max(least, points.Max(point => point.Row.KlMean)), "Mean KL divergence (nats)");
        var bits = Axis.Bits(
            points.Min(point => point.Row.BitsPerElement), points.Max(point => point.Row.BitsPerElement),
                "Bits per cached element, scales and zero points included");
        var row = points[0].Row;
        var texts = _points.Select(point => point.Row.Text).Distinct().Count();
        var isNamed = _groups.Count > 1 || _run is not null;
        var panel = new Panel(bits, divergence, !isNamed ? "" : texts == 1 ? row.Model : $"{row.Model}, {row.Text}");
        var marks = points.Select(point => new Mark(
            point, FrontierAnalysis.SettingOf(point.Row.Setting),
            new(bits.Share(point.Row.BitsPerElement), point.Row.KlMean > 0 ? divergence.Share(point.Row.KlMean) : 0))).ToList();
        var steps = Steps(marks).ToList();
        panel.AddArea([.. steps, new(1, 1), new(steps[0].X, 1)], Look.Dominated);
        panel.AddLine(steps, Look.Ink, 1.2f);
        foreach (var mark in marks.OrderBy(mark => mark.Point.OnFrontier))
        {
            var color = _look.ColorOf(mark.Setting).WithAlpha(mark.Point.OnFrontier ? 1 : 0.85);
            new PointMarker(_look.ShapeOf(mark.Setting), mark.Point.OnFrontier).AddTo(panel.Plot, mark.At.X, mark.At.Y, color);
        }
        panel.Plot.Add.Plottable(new LabelLayer
        {
            Names = [.. marks.Where(mark => mark.Point.OnFrontier).Select(mark =>
                new PointName(mark.At, Look.StarRadius, _look.LabelOf(mark.Point.Row.Setting, mark.Setting)))],
            Obstacles = [.. marks.Where(mark => !mark.Point.OnFrontier).Select(mark => (mark.At, Look.DotRadius))],
            Lines = [.. steps.Zip(steps.Skip(1), (from, to) => new CoordinateLine(from, to))],
            MissingNote = missing => string.Create(CultureInfo.InvariantCulture, $"{missing} more in fidelity.csv"),
            NoteOnTop = true,
        });
        return panel;
    }

    /// <summary>The rim of what the frontier dominates: down from the top, right and down to each next point, out to the right.</summary>
    private static IEnumerable<Coordinates> Steps(IEnumerable<Mark> marks)
    {
        var height = 1.0;
        foreach (var mark in marks.Where(mark => mark.Point.OnFrontier))
        {
            yield return new(mark.At.X, height);
            yield return mark.At;
            height = mark.At.Y;
        }
        yield return new(1, height);
    }

    private sealed record Mark(FidelityPoint Point, InferenceSetting? Setting, Coordinates At);
}
