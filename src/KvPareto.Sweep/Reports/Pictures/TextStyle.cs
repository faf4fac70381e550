using ScottPlot;
using SkiaSharp;

namespace KvPareto.Sweep.Reports.Pictures;

/// <summary>Size in points, colour and weight of a text on a page.</summary>
internal sealed record TextStyle(float Size, Color Color, bool Bold = false)
{
    private const string Ellipsis = "…";

    /// <summary>Height of capital letters and digits, in points.</summary>
    public double CapHeight => 0.727 * Size;

    /// <summary>Width of a line of text, in points.</summary>
    public double Width(string text)
    {
        using var font = Font();
        return font.MeasureText(OneLine(text));
    }

    /// <summary>
    /// The text, cut within where it is wider than <paramref name="width"/>: names differ at their ends too, by a context for example.
    /// </summary>
    public string Fit(string text, double width)
    {
        text = OneLine(text);
        if (Width(text) <= width) return text;
        var (fits, tooLong) = (0, text.Length);
        while (tooLong - fits > 1)
        {
            var middle = (fits + tooLong) / 2;
            if (Width(Cut(text, middle)) <= width) fits = middle;
            else tooLong = middle;
        }
        return Cut(text, fits);
    }

    // A third of what is kept is the end; no character is split.
    private static string Cut(string text, int kept)
    {
        var (start, end) = (kept - kept / 3, text.Length - kept / 3);
        if (start > 0 && char.IsHighSurrogate(text[start - 1])) start--;
        if (end < text.Length && char.IsLowSurrogate(text[end])) end++;
        return text[..start].TrimEnd() + Ellipsis + text[end..].TrimStart();
    }

    /// <summary>The font at its size, without hinting: shapes do not depend on the resolution.</summary>
    public SKFont Font() =>
        new(InterFont.Face(Bold), Size) { Subpixel = true, Hinting = SKFontHinting.None, Edging = SKFontEdging.Antialias };

    /// <summary>Names come from outside: what is no character of a line becomes a space.</summary>
    public static string OneLine(string text) => string.Create(text.Length, text, (line, source) =>
    {
        for (var i = 0; i < line.Length; i++)
        {
            var pair = i > 0 && char.IsSurrogatePair(source[i - 1], source[i]) || i + 1 < line.Length
                && char.IsSurrogatePair(source[i], source[i + 1]);
            line[i] = char.IsControl(source[i]) || char.IsSurrogate(source[i]) && !pair ? ' ' : source[i];
        }
    });
}
