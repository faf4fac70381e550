using System.Globalization;
using KvPareto.Engine.Settings;
using KvPareto.Sweep.Frontier;
using ScottPlot;

namespace KvPareto.Sweep.Reports.Pictures;

/// <summary>One model's settings: score over total peak memory, with the baseline's line and the frontier's steps.</summary>
internal sealed class FrontierPanel
{
    private readonly ModelFrontier _model;
    private readonly SettingLook _look;
    private readonly Panel _panel;
    private readonly List<Mark> _marks;

    /// <summary>The panel of a model.</summary>
    public FrontierPanel(ModelFrontier model, Axis score, SettingLook look)
    {
        (_model, _look) = (model, look);
        _panel = new(Axis.Memory([.. model.Points.Select(point => point.PeakBytes)]), score, model.Model, Note(model));
        _marks =
        [
            .. model.Points.Select(point => new Mark(
                point, FrontierAnalysis.SettingOf(point.Trial), _panel.At(point.PeakBytes, point.Score))),
        ];
    }

    private IEnumerable<Mark> Starred => _marks.Where(mark => mark.Point.OnFrontier);

    private IEnumerable<Mark> Dominated => _marks.Where(mark => !mark.Point.OnFrontier);

    /// <summary>Draws everything.</summary>
    public Panel Draw()
    {
        var steps = Steps();
        _panel.AddArea([.. steps, new(1, 0)], Look.Dominated);
        if (_model.Baseline is { } baseline)
        {
            var height = _panel.At(baseline.PeakBytes, baseline.Score).Y;
            _panel.AddLine([new(0, height), new(1, height)], Look.Frame, 1.1f, new LinePattern([5, 3.5f], 0, "baseline"));
        }
        foreach (var mark in Dominated) AddInterval(mark, 0.35);
        _panel.AddLine(steps, Look.Ink, 1.2f);
        foreach (var mark in Dominated) AddMarker(mark, _look.ColorOf(mark.Setting).WithAlpha(0.85));
        foreach (var mark in Starred) AddInterval(mark, 1);
        foreach (var mark in Starred) AddMarker(mark, _look.ColorOf(mark.Setting));
        foreach (var mark in _marks.Where(mark => mark.Point.IsBaseline))
        {
            var ring = _panel.Plot.Add.Marker(mark.At, MarkerShape.OpenCircle, (float)(2 * Look.RingRadius), Look.Ink);
            ring.MarkerLineWidth = 1.2f;
        }
        _panel.Plot.Add.Plottable(Labels(steps));
        return _panel;
    }

    private void AddMarker(Mark mark, Color color) =>
        new PointMarker(_look.ShapeOf(mark.Setting), mark.Point.OnFrontier).AddTo(_panel.Plot, mark.At.X, mark.At.Y, color);

    private void AddInterval(Mark mark, double alpha) => _panel.AddInterval(
        mark.Point.PeakBytes, mark.Point.Interval.Low, mark.Point.Interval.High, _look.ColorOf(mark.Setting)
            .WithAlpha(alpha));

    /// <summary>
    /// The rim of what the frontier dominates: up from the bottom at its first point, right to each next one, up to it, and out to the
    /// right.
    /// </summary>
    private List<Coordinates> Steps()
    {
        var steps = new List<Coordinates>();
        foreach (var mark in Starred)
        {
            steps.Add(new(mark.At.X, steps.Count == 0 ? 0 : steps[^1].Y));
            steps.Add(mark.At);
        }
        steps.Add(new(1, steps[^1].Y));
        return steps;
    }

    private LabelLayer Labels(List<Coordinates> steps)
    {
        var lines = steps.Zip(steps.Skip(1), (from, to) => new CoordinateLine(from, to)).ToList();
        if (_model.Baseline is { } baseline)
        {
            var height = _panel.At(baseline.PeakBytes, baseline.Score).Y;
            lines.Add(new(0, height, 1, height));
        }
        lines.AddRange(Starred.Select(mark => new CoordinateLine(
            _panel.At(mark.Point.PeakBytes, mark.Point.Interval.Low), _panel.At(mark.Point.PeakBytes, mark.Point.Interval.High))));
        return new()
        {
            Names = [.. _marks.Where(mark => mark.Point.OnFrontier || mark.Point.IsBaseline).Select(Name)],
            Obstacles = [.. Dominated.Where(mark => !mark.Point.IsBaseline).Select(mark => (mark.At, Look.DotRadius))],
            Lines = lines,
            MissingNote = missing => string.Create(CultureInfo.InvariantCulture, $"{missing} more in frontier.csv"),
        };
    }

    /// <summary>The baseline's own name stands in the legend; where it is not on the frontier, no other table names it here.</summary>
    private PointName Name(Mark mark)
    {
        var name = _look.LabelOf(mark.Point.Trial.Setting, mark.Setting);
        return mark.Point.IsBaseline
            ? new(mark.At, Look.RingRadius, mark.Point.OnFrontier ? $"{name} (baseline)" : "baseline", mark.Point.OnFrontier)
            : new(mark.At, Look.StarRadius, name);
    }

    private static string Note(ModelFrontier model)
    {
        var facts = string.Create(CultureInfo.InvariantCulture, $"hypervolume {model.HypervolumePercent:0.0} %");
        if (model.Failed.Count > 0) facts += string.Create(CultureInfo.InvariantCulture, $" | {model.Failed.Count} failed");
        if (model.Dropped.Count > 0) facts += string.Create(CultureInfo.InvariantCulture, $" | {model.Dropped.Count} dropped");
        return facts;
    }

    private sealed record Mark(FrontierPoint Point, InferenceSetting? Setting, Coordinates At);
}
