using System.Globalization;
using KvPareto.Engine.Settings;
using KvPareto.Sweep.Frontier;
using KvPareto.Sweep.Reports.Cairo;

namespace KvPareto.Sweep.Reports.Chart;

/// <summary>
/// The meaning of lines, shapes and colours, in as many rows as the width asks for; only what the figure shows is listed.
/// </summary>
internal sealed class ChartLegend
{
    private const double RowHeight = 18;
    private const double Between = 16;
    private const double BetweenSymbolAndText = 5;

    private readonly Canvas _canvas;
    private readonly List<List<Entry>> _rows = [];

    /// <summary>The legend of some models, broken into rows of <paramref name="width"/>.</summary>
    public ChartLegend(Canvas canvas, IReadOnlyList<ModelFrontier> models, string baseline, double width)
    {
        _canvas = canvas;
        foreach (var group in Groups([.. models.SelectMany(model => model.Points)], baseline)) Append(group, width);
    }

    /// <summary>Height of all rows.</summary>
    public double Height => RowHeight * _rows.Count;

    /// <summary>Draws the rows, the first one's top at <paramref name="top"/>.</summary>
    public void Draw(double left, double top)
    {
        var middle = top + RowHeight / 2;
        var text = _canvas.Measure("x", Look.Note);
        foreach (var row in _rows)
        {
            var x = left;
            foreach (var entry in row)
            {
                entry.Symbol?.Invoke(new(x + entry.SymbolWidth / 2, middle));
                _canvas.Text(entry.Text, new(TextLeft(entry, x), middle + 0.36 * text.Ascent), Look.Note);
                x += Width(entry) + Between;
            }
            middle += RowHeight;
        }
    }

    private IEnumerable<List<Entry>> Groups(List<FrontierPoint> points, string baseline)
    {
        List<Entry> lines =
        [
            new(at => Look.Star(_canvas, at, Color.White), 2 * Look.StarRadius, "frontier: no other setting is better in both"),
        ];
        if (points.Exists(point => point.IsBaseline)) lines.Add(new(DrawBaseline, 34, $"baseline {baseline}"));
        lines.Add(new(at => Look.ErrorBar(_canvas, at.X, at.Y - 6, at.Y + 6, Look.Muted), 6, "95 % interval of the score"));
        yield return lines;

        var settings = points.Select(point => FrontierAnalysis.SettingOf(point.Trial)).OfType<InferenceSetting>().ToList();
        var cache = settings.Select(Look.CacheBits).Distinct().OrderDescending().Select(bits => new Entry(
            at => Look.Dot(_canvas, at, Look.ColorOf(bits), 16), 2 * Look.DotRadius, Bits(bits)));
        yield return [new(null, 0, "KV cache, lower of keys and values:"), .. cache];
        var weights = settings.Select(setting => setting.Weights.Bits).Distinct().OrderDescending().Select(bits => new Entry(
            at => Look.Dot(_canvas, at, Look.Muted, bits), 2 * Look.DotRadius, Bits(bits)));
        yield return [new(null, 0, "Weights:"), .. weights];
    }

    private void DrawBaseline(Position at)
    {
        _canvas.Line(Look.Baseline, new(at.X - 17, at.Y), new(at.X + 17, at.Y));
        _canvas.Circle(at, 0.55 * Look.RingRadius, null, Look.Ring);
    }

    /// <summary>Adds a group to the last row where all of it fits, else in a new row, broken only where it is wider than that.</summary>
    private void Append(List<Entry> group, double width)
    {
        if (_rows.Count == 0 || Width(_rows[^1]) + Between + Width(group) > width) _rows.Add([]);
        foreach (var entry in group)
        {
            if (_rows[^1].Count > 0 && Width(_rows[^1]) + Between + Width(entry) > width) _rows.Add([]);
            _rows[^1].Add(entry);
        }
    }

    private double Width(List<Entry> row) => row.Sum(Width) + Between * Math.Max(0, row.Count - 1);

    private double Width(Entry entry) => TextLeft(entry, 0) + _canvas.Measure(entry.Text, Look.Note).Width;

    private static double TextLeft(Entry entry, double left) =>
        entry.Symbol is null ? left : left + entry.SymbolWidth + BetweenSymbolAndText;

    private static string Bits(int bits) => string.Create(CultureInfo.InvariantCulture, $"{bits} bits");

    private sealed record Entry(Action<Position>? Symbol, double SymbolWidth, string Text);
}
