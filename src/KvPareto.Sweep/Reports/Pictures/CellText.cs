using ScottPlot;
using SkiaSharp;

namespace KvPareto.Sweep.Reports.Pictures;

/// <summary>Words at places of a plot, such as the numbers in the cells of a heat map.</summary>
/// <param name="words">Places in the plot's coordinates, words and colours.</param>
internal sealed class CellText(IReadOnlyList<(Coordinates At, string Words, Color Color)> words) : IPlottable, IHasText
{
    /// <inheritdoc/>
    public bool Outlines { get; set; }

    /// <inheritdoc/>
    public bool IsVisible { get; set; } = true;

    /// <inheritdoc/>
    public IAxes Axes { get; set; } = new Axes();

    /// <inheritdoc/>
    public IEnumerable<LegendItem> LegendItems => [];

    /// <inheritdoc/>
    public AxisLimits GetAxisLimits() => AxisLimits.NoLimits;

    /// <inheritdoc/>
    public void Render(RenderPack rp)
    {
        var sheet = new Sheet(rp.Canvas, Outlines);
        foreach (var (at, text, color) in words)
        {
            var style = Look.LabelText with { Color = color };
            sheet.Text(style, text, new(Axes.GetPixelX(at.X), Axes.GetPixelY(at.Y) + style.CapHeight / 2), SKTextAlign.Center);
        }
    }
}
