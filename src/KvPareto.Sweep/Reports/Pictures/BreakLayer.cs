using ScottPlot;
using SkiaSharp;

namespace KvPareto.Sweep.Reports.Pictures;

/// <summary>Marks where a memory axis is broken: two slashes on the axis and dots up the plot.</summary>
/// <param name="at">The breaks, in the plot's coordinates.</param>
internal sealed class BreakLayer(IReadOnlyList<double> at) : IPlottable, IRenderLast
{
    private const float HalfGap = 2.2f;
    private const float Lean = 1.8f;
    private const float HalfHeight = 4.5f;

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
        using var dots = new SKPaint
        {
            Color = Look.NoValue.ToSKColor(),
            IsStroke = true,
            StrokeWidth = 0.8f,
            IsAntialias = true,
            PathEffect = SKPathEffect.CreateDash([1, 3], 0),
        };
        foreach (var x in at.Select(Axes.GetPixelX)) rp.Canvas.DrawLine(x, rp.DataRect.Top, x, rp.DataRect.Bottom, dots);
    }

    /// <inheritdoc/>
    public void RenderLast(RenderPack rp)
    {
        using var white = new SKPaint { Color = SKColors.White, IsAntialias = true };
        using var slash = new SKPaint { Color = Look.Frame.ToSKColor(), IsStroke = true, StrokeWidth = 0.9f, IsAntialias = true };
        var y = rp.DataRect.Bottom;
        foreach (var x in at.Select(Axes.GetPixelX))
        {
            rp.Canvas.DrawRect(x - HalfGap, y - 1, 2 * HalfGap, 2, white);
            foreach (var middle in new[] { x - HalfGap, x + HalfGap })
                rp.Canvas.DrawLine(middle - Lean, y + HalfHeight, middle + Lean, y - HalfHeight, slash);
        }
    }
}
