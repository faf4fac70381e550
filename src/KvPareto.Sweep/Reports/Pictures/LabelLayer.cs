using ScottPlot;
using SkiaSharp;

namespace KvPareto.Sweep.Reports.Pictures;

/// <summary>A name of a point.</summary>
/// <param name="At">The point, in the plot's coordinates.</param>
/// <param name="Radius">Of its marker, in points.</param>
/// <param name="Text">The name.</param>
/// <param name="CountsAsMissing">Whether the note on names left out counts it.</param>
internal sealed record PointName(Coordinates At, double Radius, string Text, bool CountsAsMissing = true);

/// <summary>Names of points, placed when the plot's place on the page is known, over everything else.</summary>
internal sealed class LabelLayer : IPlottable, IRenderLast, IHasText
{
    private const double Padding = 2;
    private const float LeaderWidth = 0.7f;
    private const float LeaderEnd = 1.3f;
    private const double Halo = 1.2;

    /// <summary>The names; earlier ones choose their place first.</summary>
    public required IReadOnlyList<PointName> Names { get; init; }

    /// <summary>Markers without names, which a name should not cover.</summary>
    public required IReadOnlyList<(Coordinates At, double Radius)> Obstacles { get; init; }

    /// <summary>Lines that a name should not cover.</summary>
    public required IReadOnlyList<CoordinateLine> Lines { get; init; }

    /// <summary>What is written in a corner where names have no place.</summary>
    public required Func<int, string> MissingNote { get; init; }

    /// <inheritdoc/>
    public bool Outlines { get; set; }

    /// <summary>Whether that corner is the upper right one; else the lower right one.</summary>
    public bool NoteOnTop { get; init; }

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
    }

    /// <inheritdoc/>
    public void RenderLast(RenderPack rp)
    {
        var (style, sheet) = (Look.LabelText, new Sheet(rp.Canvas, Outlines));
        var requests = Names.Select(name => new LabelRequest(
            At(name.At), name.Radius, style.Width(name.Text) + 2 * Halo, style.CapHeight + 5)).ToList();
        var plot = new Box(rp.DataRect.Left, rp.DataRect.Top, rp.DataRect.Width, rp.DataRect.Height);
        Box[] obstacles = [.. Obstacles.Select(obstacle => Box.Around(At(obstacle.At), obstacle.Radius))];
        LineSegment[] lines = [.. Lines.Select(line => new LineSegment(At(line.Start), At(line.End)))];
        var placed = LabelPlacer.Place(requests, obstacles, lines, plot.Grown(-Padding));
        using var leader = new SKPaint { Color = Look.Leader.ToSKColor(), IsAntialias = true, StrokeWidth = LeaderWidth };
        foreach (var line in placed.Select(label => label?.Leader).OfType<LineSegment>())
        {
            rp.Canvas.DrawLine(Point(line.From), Point(line.To), leader);
            if (requests.Exists(request => request.Anchor == line.From)) rp.Canvas.DrawCircle(Point(line.From), LeaderEnd, leader);
        }
        using var halo = new SKPaint { Color = SKColors.White.WithAlpha(205), IsAntialias = true };
        for (var i = 0; i < placed.Length; i++)
        {
            if (placed[i] is not { Box: var box }) continue;
            rp.Canvas.DrawRoundRect((float)box.Left, (float)(box.Top + 1), (float)box.Width, (float)(box.Height - 2), 1.5f, 1.5f, halo);
            sheet.Text(style, Names[i].Text, new(box.Left + Halo, box.Top + 2.5 + style.CapHeight));
        }
        var missing = placed.Zip(Names).Count(pair => pair.First is null && pair.Second.CountsAsMissing);
        if (missing == 0) return;
        var height = NoteOnTop ? plot.Top + 5 + Look.Note.CapHeight : plot.Bottom - 6;
        sheet.Text(Look.Note, MissingNote(missing), new(plot.Right - 4, height), SKTextAlign.Right);
    }

    private Position At(Coordinates place) => new(Axes.GetPixelX(place.X), Axes.GetPixelY(place.Y));

    private static SKPoint Point(Position place) => new((float)place.X, (float)place.Y);
}
