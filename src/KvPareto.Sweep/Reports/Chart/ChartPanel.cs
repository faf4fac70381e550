using System.Globalization;
using KvPareto.Engine.Settings;
using KvPareto.Sweep.Frontier;
using KvPareto.Sweep.Reports.Cairo;

namespace KvPareto.Sweep.Reports.Chart;

/// <summary>One model's settings: score over total peak memory, with the baseline's line and the frontier's steps.</summary>
internal sealed class ChartPanel
{
    private const double LabelPadding = 2;

    private readonly Canvas _canvas;
    private readonly ModelFrontier _model;
    private readonly Axis _memory;
    private readonly Axis _score;
    private readonly Box _plot;
    private readonly List<Marker> _markers;

    /// <summary>A panel whose plot, without titles and ticks, fills <paramref name="plot"/>.</summary>
    public ChartPanel(Canvas canvas, ModelFrontier model, Axis memory, Axis score, Box plot)
    {
        (_canvas, _model, _memory, _score, _plot) = (canvas, model, memory, score, plot);
        _markers =
        [
            .. model.Points.Select(point => new Marker(point, FrontierAnalysis.SettingOf(point.Trial), At(point.PeakBytes, point.Score))),
        ];
    }

    /// <summary>Draws everything.</summary>
    public void Draw()
    {
        DrawGrid();
        _canvas.Clipped(_plot, DrawPoints);
        DrawLabels();
        DrawFrame();
    }

    private void DrawGrid()
    {
        foreach (var tick in _score.Ticks) _canvas.Line(Look.Grid, new(_plot.Left, Y(tick.Value)), new(_plot.Right, Y(tick.Value)));
        foreach (var tick in _memory.Ticks) _canvas.Line(Look.Grid, new(X(tick.Value), _plot.Top), new(X(tick.Value), _plot.Bottom));
    }

    private void DrawPoints()
    {
        var steps = Steps();
        _canvas.Polygon(Look.Dominated, null, [.. steps, new(_plot.Right, _plot.Bottom), new(steps[0].X, _plot.Bottom)]);
        if (_model.Baseline is { } baseline)
            _canvas.Line(Look.Baseline, new(_plot.Left, Y(baseline.Score)), new(_plot.Right, Y(baseline.Score)));
        foreach (var marker in _markers.Where(marker => !marker.Point.OnFrontier)) DrawErrorBar(marker, 0.35);
        _canvas.Line(Look.Step, [.. steps]);
        foreach (var marker in _markers.Where(marker => !marker.Point.OnFrontier))
            Look.Dot(_canvas, marker.At, Look.ColorOf(marker.Setting), marker.Setting?.Weights.Bits ?? 16);
        foreach (var marker in _markers.Where(marker => marker.Point.OnFrontier))
        {
            DrawErrorBar(marker, 1);
            Look.Star(_canvas, marker.At, Look.ColorOf(marker.Setting));
        }
        foreach (var marker in _markers.Where(marker => marker.Point.IsBaseline))
            _canvas.Circle(marker.At, Look.RingRadius, null, Look.Ring);
    }

    private void DrawErrorBar(Marker marker, double alpha)
    {
        var (top, bottom) = (Y(marker.Point.Interval.High), Y(marker.Point.Interval.Low));
        if (bottom - top > 1) Look.ErrorBar(_canvas, marker.At.X, top, bottom, Look.ColorOf(marker.Setting) with { Alpha = alpha });
    }

    /// <summary>
    /// The rim of what the frontier dominates: up from the bottom at its first point, right to each next one, up to it, and out to the
    /// right.
    /// </summary>
    private List<Position> Steps()
    {
        var steps = new List<Position>();
        foreach (var marker in _markers.Where(marker => marker.Point.OnFrontier))
        {
            steps.Add(new(marker.At.X, steps.Count == 0 ? _plot.Bottom : steps[^1].Y));
            steps.Add(marker.At);
        }
        steps.Add(new(_plot.Right, steps[^1].Y));
        return steps;
    }

    private void DrawLabels()
    {
        var labelled = _markers.Where(marker => marker.Point.OnFrontier || marker.Point.IsBaseline).ToList();
        var texts = labelled.ConvertAll(marker =>
            marker.Point.IsBaseline ? $"{marker.Point.Trial.Setting} (baseline)" : marker.Point.Trial.Setting);
        var sizes = texts.ConvertAll(text => _canvas.Measure(text, Look.LabelText));
        var requests = labelled.Select((marker, i) => new LabelRequest(
            marker.At, marker.Point.IsBaseline ? Look.RingRadius : Look.StarRadius, sizes[i].Width, sizes[i].Height)).ToList();
        var placed = LabelPlacer.Place(requests, Obstacles(), Lines(), _plot.Grown(-LabelPadding));
        foreach (var leader in placed.Select(label => label?.Leader).OfType<Segment>()) _canvas.Line(Look.Leader, leader.From, leader.To);
        for (var i = 0; i < placed.Length; i++)
        {
            if (placed[i] is { } label)
                _canvas.Text(texts[i], new(label.Box.Left, label.Box.Top + sizes[i].Ascent), Look.LabelText, halo: 1.6);
        }
        var missing = placed.Count(label => label is null);
        if (missing > 0) DrawCornerNote(string.Create(CultureInfo.InvariantCulture, $"{missing} more names in frontier.csv"));
    }

    private void DrawCornerNote(string text) =>
        _canvas.Text(text, new(_plot.Right - 4, _plot.Bottom - 5), Look.Note, align: 1, halo: 1.6);

    private List<Box> Obstacles() =>
        [.. _markers.Where(marker => !marker.Point.OnFrontier).Select(marker => Box.Around(marker.At, Look.DotRadius))];

    private List<Segment> Lines()
    {
        var steps = Steps();
        var lines = steps.Zip(steps.Skip(1), (from, to) => new Segment(from, to)).ToList();
        if (_model.Baseline is { } baseline) lines.Add(new(new(_plot.Left, Y(baseline.Score)), new(_plot.Right, Y(baseline.Score))));
        lines.AddRange(_markers.Where(marker => marker.Point.OnFrontier).Select(marker => new Segment(
            new(marker.At.X, Y(marker.Point.Interval.High)), new(marker.At.X, Y(marker.Point.Interval.Low)))));
        return lines;
    }

    private void DrawFrame()
    {
        const double TickLength = 3.5;
        var text = _canvas.Measure("0", Look.TickText);
        _canvas.Line(Look.Frame, new(_plot.Left, _plot.Top), new(_plot.Left, _plot.Bottom), new(_plot.Right, _plot.Bottom));
        var widest = 0.0;
        foreach (var tick in _score.Ticks)
        {
            _canvas.Line(Look.Frame, new(_plot.Left - TickLength, Y(tick.Value)), new(_plot.Left, Y(tick.Value)));
            _canvas.Text(tick.Label, new(_plot.Left - TickLength - 3, Y(tick.Value) + 0.36 * text.Ascent), Look.TickText, align: 1);
            widest = Math.Max(widest, _canvas.Measure(tick.Label, Look.TickText).Width);
        }
        foreach (var tick in _memory.Ticks)
        {
            _canvas.Line(Look.Frame, new(X(tick.Value), _plot.Bottom), new(X(tick.Value), _plot.Bottom + TickLength));
            _canvas.Text(tick.Label, new(X(tick.Value), _plot.Bottom + TickLength + 2 + text.Ascent), Look.TickText, align: 0.5);
        }
        _canvas.Text(_memory.Title, new(_plot.Centre.X, _plot.Bottom + TickLength + 18 + text.Ascent), Look.AxisTitle, align: 0.5);
        _canvas.TextUpwards(_score.Title, new(_plot.Left - TickLength - widest - 11, _plot.Centre.Y), Look.AxisTitle);
        DrawHeading();
    }

    private void DrawHeading()
    {
        var facts = string.Create(CultureInfo.InvariantCulture, $"hypervolume {_model.HypervolumePercent:0.0} %");
        if (_model.Failed.Count > 0) facts += string.Create(CultureInfo.InvariantCulture, $" | {_model.Failed.Count} failed");
        var room = _plot.Width - _canvas.Measure(facts, Look.Note).Width - 12;
        _canvas.Text(_canvas.Fit(_model.Model, Look.PanelTitle, room), new(_plot.Left, _plot.Top - 8), Look.PanelTitle);
        _canvas.Text(facts, new(_plot.Right, _plot.Top - 8), Look.Note, align: 1);
    }

    private Position At(double bytes, double score) => new(X(bytes), Y(score));

    private double X(double bytes) => _plot.Left + _memory.Share(bytes) * _plot.Width;

    private double Y(double score) => _plot.Bottom - _score.Share(score) * _plot.Height;

    private sealed record Marker(FrontierPoint Point, InferenceSetting? Setting, Position At);
}
