using SkiaSharp;

namespace KvPareto.Sweep.Reports.Pictures;

/// <summary>An entry of a legend: a symbol and what it means, or words alone.</summary>
/// <param name="Text">What it means.</param>
/// <param name="SymbolWidth">Width of the symbol in points; 0 for words alone.</param>
/// <param name="Symbol">Draws the symbol around a place.</param>
internal sealed record LegendEntry(string Text, double SymbolWidth = 0, Action<SKCanvas, Position>? Symbol = null)
{
    private const float SwatchSize = 10;

    /// <summary>A filled square.</summary>
    public static LegendEntry Swatch(string text, ScottPlot.Color color) => new(text, SwatchSize, (canvas, at) =>
    {
        using var fill = new SKPaint { Color = color.ToSKColor(), IsAntialias = true };
        canvas.DrawRect((float)at.X - SwatchSize / 2, (float)at.Y - SwatchSize / 2, SwatchSize, SwatchSize, fill);
    });
}

/// <summary>The meaning of lines, shapes and colours, in as many rows as the width asks for.</summary>
internal sealed class Legend
{
    private const double RowHeight = 16;
    private const double Between = 12;
    private const double BetweenSymbolAndText = 5;

    private readonly List<List<LegendEntry>> _rows = [];

    /// <summary>Entries as they are drawn, a list a row.</summary>
    public IReadOnlyList<IReadOnlyList<LegendEntry>> Rows => _rows;

    /// <summary>Groups of entries, broken into rows of <paramref name="width"/>.</summary>
    public Legend(IEnumerable<IReadOnlyList<LegendEntry>> groups, double width)
    {
        foreach (var group in groups)
            Append([.. group.Select(entry => entry with { Text = Look.Note.Fit(entry.Text, width - TextLeft(entry, 0)) })], width);
    }

    /// <summary>Height of all rows.</summary>
    public double Height => RowHeight * _rows.Count;

    /// <summary>Draws the rows, the first one's top at <paramref name="top"/>.</summary>
    public void Draw(Sheet sheet, double left, double top)
    {
        var middle = top + RowHeight / 2;
        foreach (var row in _rows)
        {
            var x = left;
            foreach (var entry in row)
            {
                entry.Symbol?.Invoke(sheet.Canvas, new(x + entry.SymbolWidth / 2, middle));
                sheet.Text(Look.Note, entry.Text, new(TextLeft(entry, x), middle + Look.Note.CapHeight / 2));
                x += Width(entry) + Between;
            }
            middle += RowHeight;
        }
    }

    /// <summary>The groups that tell what a look's colours and shapes mean.</summary>
    public static IEnumerable<IReadOnlyList<LegendEntry>> Of(SettingLook look)
    {
        if (look.Colors is var (colorTitle, colors))
        {
            yield return
            [
                new(colorTitle + ":"),
                .. colors.Select(value => Point(value.Text, PointShape.Circle, value.Color)),
            ];
        }
        if (look.Shapes is var (shapeTitle, shapes))
        {
            yield return
            [
                new(shapeTitle + ":"),
                .. shapes.Select(value => Point(value.Text, value.Shape, Look.Muted)),
            ];
        }
    }

    private static LegendEntry Point(string text, PointShape shape, ScottPlot.Color color) => new(
        text, 2 * Look.DotRadius, (canvas, at) => new PointMarker(shape, Starred: false).Draw(canvas, at, color));

    /// <summary>Adds a group to the last row where all of it fits, else in a new row, broken only where it is wider than that.</summary>
    private void Append(IReadOnlyList<LegendEntry> group, double width)
    {
        if (_rows.Count == 0 || Width(_rows[^1]) + Between + Width(group) > width) _rows.Add([]);
        foreach (var entry in group)
        {
            if (_rows[^1].Count > 0 && Width(_rows[^1]) + Between + Width(entry) > width) _rows.Add([]);
            _rows[^1].Add(entry);
        }
    }

    private static double Width(IReadOnlyList<LegendEntry> row) => row.Sum(Width) + Between * Math.Max(0, row.Count - 1);

    private static double Width(LegendEntry entry) => TextLeft(entry, 0) + Look.Note.Width(entry.Text);

    private static double TextLeft(LegendEntry entry, double left) =>
        entry.Symbol is null ? left : left + entry.SymbolWidth + BetweenSymbolAndText;
}
