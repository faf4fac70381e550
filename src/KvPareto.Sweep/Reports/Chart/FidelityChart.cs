using System.Globalization;
using KvPareto.Engine.Settings;
using KvPareto.Sweep.Fidelity;
using KvPareto.Sweep.Frontier;
using KvPareto.Sweep.Reports.Cairo;

namespace KvPareto.Sweep.Reports.Chart;

/// <summary>Mean divergence from the unquantized model over bits of a cached element, with the names of the frontier's settings.</summary>
internal sealed class FidelityChart
{
    private const double PixelsPerPoint = 2;
    private const double TickLength = 3.5;
    private const double LabelPadding = 2;
    private static readonly Box Plot = new(70, 62, 800, 500);

    private readonly Canvas _canvas;
    private readonly Axis _bits;
    private readonly Axis _divergence;
    private readonly List<Marker> _markers;

    private FidelityChart(Canvas canvas, IReadOnlyList<FidelityPoint> points)
    {
        _canvas = canvas;
        // A setting without any divergence has no place on a logarithmic axis; it stands at its foot.
        var least = points.Select(point => point.Row.KlMean).Where(value => value > 0).DefaultIfEmpty(1e-6).Min();
        var most = Math.Max(least, points.Max(point => point.Row.KlMean));
        _divergence = Axis.Logarithmic(least, most, "Mean KL divergence (nats, logarithmic)");
        var (fewest, widest) = (points.Min(point => point.Row.BitsPerElement), points.Max(point => point.Row.BitsPerElement));
        _bits = Axis.Bits(fewest, widest, "Bits per cached element, scales and zero points included (logarithmic)");
        _markers = [.. points.Select(point => new Marker(point, FrontierAnalysis.SettingOf(point.Row.Setting), At(point.Row)))];
    }

    /// <summary>The picture as PNG, at two pixels a point.</summary>
    /// <param name="points">At least one.</param>
    /// <exception cref="CairoException">cairo cannot draw it.</exception>
    /// <exception cref="DllNotFoundException">libcairo.so.2 is not there.</exception>
    public static byte[] ToPng(IReadOnlyList<FidelityPoint> points)
    {
        var (width, height) = (Plot.Right + 24, Plot.Bottom + 72);
        using var surface = CairoSurface.Image((int)(width * PixelsPerPoint), (int)(height * PixelsPerPoint));
        using (var canvas = new Canvas(surface, PixelsPerPoint))
        {
            canvas.Rectangle(new(0, 0, width + 1, height + 1), Color.White);
            var row = points[0].Row;
            var title = $"{row.Model}: fidelity against bits of the KV cache";
            canvas.Text(canvas.Fit(title, Look.Title, Plot.Width), new(Plot.Left, 27), Look.Title);
            var text = string.Create(CultureInfo.InvariantCulture, $"{row.Text}, {row.Tokens} tokens in windows of {row.Window}");
            var count = string.Create(CultureInfo.InvariantCulture, $"{points.Count} settings");
            var subtitle = $"{text} | {count} | stars: no other has fewer bits and less divergence; weights are w16a16 where not named";
            canvas.Text(canvas.Fit(subtitle, Look.Subtitle, Plot.Width), new(Plot.Left, 44), Look.Subtitle);
            new FidelityChart(canvas, points).Draw();
            canvas.Finish("the fidelity chart");
        }
        return surface.ToPng();
    }

    private void Draw()
    {
        foreach (var y in _divergence.Ticks.Select(tick => Y(tick.Value))) _canvas.Line(Look.Grid, new(Plot.Left, y), new(Plot.Right, y));
        foreach (var x in _bits.Ticks.Select(tick => X(tick.Value))) _canvas.Line(Look.Grid, new(x, Plot.Top), new(x, Plot.Bottom));
        Position[] steps = [.. Steps()];
        _canvas.Polygon(Look.Dominated, null, [.. steps, new(Plot.Right, Plot.Top), new(steps[0].X, Plot.Top)]);
        _canvas.Line(Look.Step, steps);
        foreach (var marker in _markers.Where(marker => !marker.Point.OnFrontier))
            Look.Dot(_canvas, marker.At, Look.ColorOf(marker.Setting), marker.Setting?.Weights.Bits ?? 16);
        foreach (var marker in _markers.Where(marker => marker.Point.OnFrontier))
            Look.Star(_canvas, marker.At, Look.ColorOf(marker.Setting));
        DrawLabels(steps);
        DrawFrame();
        DrawLegend();
    }

    /// <summary>The rim of what the frontier dominates: down from the top, right and down to each next point, out to the right.</summary>
    private IEnumerable<Position> Steps()
    {
        var height = Plot.Top;
        foreach (var marker in _markers.Where(marker => marker.Point.OnFrontier))
        {
            yield return new(marker.At.X, height);
            yield return marker.At;
            height = marker.At.Y;
        }
        yield return new(Plot.Right, height);
    }

    private void DrawLabels(Position[] steps)
    {
        Marker[] labelled = [.. _markers.Where(marker => marker.Point.OnFrontier)];
        var sizes = Array.ConvertAll(labelled, marker => _canvas.Measure(Name(marker), Look.LabelText));
        var requests = labelled.Zip(sizes, (marker, size) => new LabelRequest(marker.At, Look.StarRadius, size.Width, size.Height)).ToList();
        var dominated = _markers.Where(marker => !marker.Point.OnFrontier);
        Box[] obstacles = [.. dominated.Select(marker => Box.Around(marker.At, Look.DotRadius))];
        Segment[] lines = [.. steps.Zip(steps.Skip(1), (from, to) => new Segment(from, to))];
        var placed = LabelPlacer.Place(requests, obstacles, lines, Plot.Grown(-LabelPadding));
        foreach (var leader in placed.Select(label => label?.Leader).OfType<Segment>()) _canvas.Line(Look.Leader, leader.From, leader.To);
        for (var i = 0; i < placed.Length; i++)
        {
            if (placed[i] is { } label)
                _canvas.Text(Name(labelled[i]), new(label.Box.Left, label.Box.Top + sizes[i].Ascent), Look.LabelText, halo: 1.6);
        }
        if (placed.Count(label => label is null) is not (> 0 and var missing)) return;
        var note = string.Create(CultureInfo.InvariantCulture, $"{missing} more names in fidelity.csv");
        _canvas.Text(note, new(Plot.Right - 4, Plot.Top + 12), Look.Note, align: 1, halo: 1.6);
    }

    private void DrawFrame()
    {
        var text = _canvas.Measure("0", Look.TickText);
        _canvas.Line(Look.Frame, new(Plot.Left, Plot.Top), new(Plot.Left, Plot.Bottom), new(Plot.Right, Plot.Bottom));
        foreach (var tick in _divergence.Ticks)
        {
            _canvas.Line(Look.Frame, new(Plot.Left - TickLength, Y(tick.Value)), new(Plot.Left, Y(tick.Value)));
            _canvas.Text(tick.Label, new(Plot.Left - TickLength - 3, Y(tick.Value) + 0.36 * text.Ascent), Look.TickText, align: 1);
        }
        foreach (var tick in _bits.Ticks)
        {
            _canvas.Line(Look.Frame, new(X(tick.Value), Plot.Bottom), new(X(tick.Value), Plot.Bottom + TickLength));
            _canvas.Text(tick.Label, new(X(tick.Value), Plot.Bottom + TickLength + 2 + text.Ascent), Look.TickText, align: 0.5);
        }
        _canvas.Text(_bits.Title, new(Plot.Centre.X, Plot.Bottom + TickLength + 18 + text.Ascent), Look.AxisTitle, align: 0.5);
        _canvas.TextUpwards(_divergence.Title, new(18, Plot.Centre.Y), Look.AxisTitle);
    }

    private void DrawLegend()
    {
        var settings = _markers.Select(marker => marker.Setting).OfType<InferenceSetting>().ToList();
        var at = new Position(Plot.Left, Plot.Bottom + 56);
        at = DrawText("Colour, lower of key and value bits:", at);
        foreach (var bits in settings.Select(Look.CacheBits).Distinct().OrderDescending()) at = DrawEntry(Look.ColorOf(bits), 16, bits, at);
        at = DrawText("   Shape, weights:", at);
        foreach (var bits in settings.Select(setting => setting.Weights.Bits).Distinct().OrderDescending())
            at = DrawEntry(Look.Muted, bits, bits, at);
    }

    private Position DrawEntry(Color color, int weightBits, int bits, Position at)
    {
        var text = _canvas.Measure("x", Look.Note);
        Look.Dot(_canvas, new(at.X + Look.DotRadius, at.Y - 0.36 * text.Ascent), color, weightBits);
        return DrawText(string.Create(CultureInfo.InvariantCulture, $"{bits}"), at with { X = at.X + 2 * Look.DotRadius + 4 });
    }

    private Position DrawText(string text, Position at)
    {
        _canvas.Text(text, at, Look.Note);
        return at with { X = at.X + _canvas.Measure(text, Look.Note).Width + 10 };
    }

    private static string Name(Marker marker)
    {
        const string Unquantized = "w16a16-";
        var name = marker.Point.Row.Setting;
        return name.StartsWith(Unquantized, StringComparison.Ordinal) ? name[Unquantized.Length..] : name;
    }

    private Position At(FidelityRow row) => new(X(row.BitsPerElement), Math.Min(Y(row.KlMean), Plot.Bottom));

    private double X(double bits) => Plot.Left + _bits.Share(bits) * Plot.Width;

    private double Y(double divergence) => divergence > 0 ? Plot.Bottom - _divergence.Share(divergence) * Plot.Height : Plot.Bottom;

    private sealed record Marker(FidelityPoint Point, InferenceSetting? Setting, Position At);
}
