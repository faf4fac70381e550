using SkiaSharp;

namespace KvPareto.Sweep.Reports.Pictures;

/// <summary>What a page is drawn on.</summary>
/// <param name="Canvas">Lengths are points.</param>
/// <param name="Outlines">
/// Whether text is drawn as outlines: SVG carries no font, and the next machine's own would be wider. PDF carries the font, so its
/// text stays text.
/// </param>
internal sealed record Sheet(SKCanvas Canvas, bool Outlines)
{
    /// <summary>Draws a line of text, its baseline at <paramref name="at"/>.</summary>
    public void Text(TextStyle style, string text, Position at, SKTextAlign align = SKTextAlign.Left)
    {
        using var font = style.Font();
        using var paint = new SKPaint { Color = style.Color.ToSKColor(), IsAntialias = true };
        text = TextStyle.OneLine(text);
        if (!Outlines)
        {
            Canvas.DrawText(text, (float)at.X, (float)at.Y, align, font, paint);
            return;
        }
        var share = align switch { SKTextAlign.Left => 0, SKTextAlign.Center => 0.5f, _ => 1 };
        using var path = font.GetTextPath(text, new SKPoint((float)at.X - share * font.MeasureText(text), (float)at.Y));
        Canvas.DrawPath(path, paint);
    }

    /// <summary>Draws a line of text that runs upwards, the middle of its baseline at <paramref name="at"/>.</summary>
    public void TextUpwards(TextStyle style, string text, Position at)
    {
        Canvas.Save();
        Canvas.RotateDegrees(-90, (float)at.X, (float)at.Y);
        Text(style, text, at, SKTextAlign.Center);
        Canvas.Restore();
    }
}
