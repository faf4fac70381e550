using CairoCalls = KvPareto.Sweep.Reports.Cairo.CairoNative;

namespace KvPareto.Sweep.Reports.Cairo;

/// <summary>
/// Draws lines, shapes and text in points, y downwards. Errors stick in cairo's context and are thrown by <see cref="Finish"/>.
/// </summary>
internal sealed class Canvas : IDisposable
{
    private const string FontFamily = "DejaVu Sans";
    private const double FullTurn = 2 * Math.PI;
    private const string Ellipsis = "...";

    private readonly CairoContextHandle _context;

    /// <summary>A canvas over a surface, every point <paramref name="scale"/> pixels wide.</summary>
    /// <exception cref="CairoException">The context cannot be made.</exception>
    public Canvas(CairoSurface surface, double scale)
    {
        _context = CairoCalls.Create(surface.Handle);
        CairoException.ThrowIfFailed(CairoCalls.Status(_context), "cairo_create");
        CairoCalls.Scale(_context, scale, scale);
        CairoCalls.SetLineJoin(_context, CairoCalls.LineJoinRound);
        SetFontOptions();
    }

    /// <summary>Throws the first error since the canvas was made.</summary>
    /// <exception cref="CairoException">A call failed; <paramref name="what"/> names what was drawn.</exception>
    public void Finish(string what) => CairoException.ThrowIfFailed(CairoCalls.Status(_context), $"cairo_status after drawing {what}");

    /// <summary>A line through all points.</summary>
    public void Line(Stroke stroke, params ReadOnlySpan<Position> points)
    {
        Trace(points);
        Apply(stroke);
    }

    /// <summary>A closed shape.</summary>
    public void Polygon(Color? fill, Stroke? stroke, params ReadOnlySpan<Position> points)
    {
        Trace(points);
        CairoCalls.ClosePath(_context);
        Paint(fill, stroke);
    }

    /// <summary>A rectangle.</summary>
    public void Rectangle(Box box, Color? fill, Stroke? stroke = null)
    {
        CairoCalls.NewPath(_context);
        CairoCalls.Rectangle(_context, box.Left, box.Top, box.Width, box.Height);
        Paint(fill, stroke);
    }

    /// <summary>A circle.</summary>
    public void Circle(Position centre, double radius, Color? fill, Stroke? stroke = null)
    {
        CairoCalls.NewPath(_context);
        CairoCalls.Arc(_context, centre.X, centre.Y, radius, 0, FullTurn);
        Paint(fill, stroke);
    }

    /// <summary>Draws within a box only.</summary>
    public void Clipped(Box box, Action draw)
    {
        CairoCalls.Save(_context);
        CairoCalls.NewPath(_context);
        CairoCalls.Rectangle(_context, box.Left, box.Top, box.Width, box.Height);
        CairoCalls.Clip(_context);
        draw();
        CairoCalls.Restore(_context);
    }

    /// <summary>Width, ascent and descent of a line of text, in points.</summary>
    public TextSize Measure(string text, TextStyle style)
    {
        Select(style);
        CairoCalls.TextExtents(_context, Printable(text), out var extents);
        CairoCalls.FontExtents(_context, out var font);
        return new(extents.XAdvance, font.Ascent, font.Descent);
    }

    /// <summary>The text, its middle left out where it is wider than <paramref name="width"/>.</summary>
    public string Fit(string text, TextStyle style, double width)
    {
        if (Measure(text, style).Width <= width) return text;
        var (fits, tooLong) = (0, text.Length);
        while (tooLong - fits > 1)
        {
            var kept = (fits + tooLong) / 2;
            if (Measure(Shortened(text, kept), style).Width <= width) fits = kept;
            else tooLong = kept;
        }
        return Shortened(text, fits);
    }

    /// <summary>A line of text, the baseline at <paramref name="at"/>.</summary>
    /// <param name="text">Control characters are drawn as spaces.</param>
    /// <param name="at">Where the text begins, or ends, or has its middle.</param>
    /// <param name="style">Font and colour.</param>
    /// <param name="align">0 begins at the position, 0.5 is centred on it, 1 ends there.</param>
    /// <param name="halo">Width of a white rim that keeps the text readable over lines.</param>
    public void Text(string text, Position at, TextStyle style, double align = 0, double halo = 0)
    {
        var left = at.X - align * Measure(text, style).Width;
        if (halo > 0)
        {
            CairoCalls.NewPath(_context);
            CairoCalls.MoveTo(_context, left, at.Y);
            CairoCalls.TextPath(_context, Printable(text));
            Apply(new Stroke(Color.White with { Alpha = 0.85 }, 2 * halo));
        }
        CairoCalls.NewPath(_context);
        CairoCalls.MoveTo(_context, left, at.Y);
        SetSource(style.Color);
        CairoCalls.ShowText(_context, Printable(text));
        CairoCalls.NewPath(_context);
    }

    /// <summary>A line of text that reads upwards, its middle at <paramref name="at"/>.</summary>
    public void TextUpwards(string text, Position at, TextStyle style)
    {
        CairoCalls.Save(_context);
        CairoCalls.Translate(_context, at.X, at.Y);
        CairoCalls.Rotate(_context, -FullTurn / 4);
        Text(text, default, style, align: 0.5);
        CairoCalls.Restore(_context);
    }

    /// <inheritdoc/>
    public void Dispose() => _context.Dispose();

    /// <summary>Glyphs are placed and drawn unhinted, so that measured widths hold at any scale.</summary>
    private void SetFontOptions()
    {
        var options = CairoCalls.FontOptionsCreate();
        CairoCalls.FontOptionsSetAntialias(options, CairoCalls.AntialiasGray);
        CairoCalls.FontOptionsSetHintStyle(options, CairoCalls.HintStyleNone);
        CairoCalls.FontOptionsSetHintMetrics(options, CairoCalls.HintMetricsOff);
        CairoCalls.SetFontOptions(_context, options);
        CairoCalls.FontOptionsDestroy(options);
    }

    private void Trace(ReadOnlySpan<Position> points)
    {
        CairoCalls.NewPath(_context);
        foreach (var point in points) CairoCalls.LineTo(_context, point.X, point.Y);
    }

    private void Paint(Color? fill, Stroke? stroke)
    {
        if (fill is { } color)
        {
            SetSource(color);
            CairoCalls.FillPreserve(_context);
        }
        if (stroke is { } line) Apply(line);
        CairoCalls.NewPath(_context);
    }

    private void Apply(Stroke stroke)
    {
        SetSource(stroke.Color);
        CairoCalls.SetLineWidth(_context, stroke.Width);
        CairoCalls.SetDash(_context, stroke.Dash, stroke.Dash.Length, 0);
        CairoCalls.Stroke(_context);
    }

    private void SetSource(Color color) => CairoCalls.SetSourceRgba(_context, color.Red, color.Green, color.Blue, color.Alpha);

    private void Select(TextStyle style)
    {
        CairoCalls.SelectFontFace(
            _context, FontFamily, CairoCalls.SlantNormal, style.Bold ? CairoCalls.WeightBold : CairoCalls.WeightNormal);
        CairoCalls.SetFontSize(_context, style.Size);
    }

    private static string Shortened(string text, int kept) => text[..(kept / 2)] + Ellipsis + text[(text.Length - (kept - kept / 2))..];

    private static string Printable(string text) =>
        text.Any(char.IsControl) ? string.Concat(text.Select(c => char.IsControl(c) ? ' ' : c)) : text;
}
