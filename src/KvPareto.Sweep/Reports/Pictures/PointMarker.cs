using ScottPlot;
using SkiaSharp;

namespace KvPareto.Sweep.Reports.Pictures;

/// <summary>A point of a given shape; one of the frontier is larger and has a star in it.</summary>
/// <param name="Shape">Its outline.</param>
/// <param name="Starred">Whether it is on a frontier.</param>
internal sealed record PointMarker(PointShape Shape, bool Starred) : IMarker
{
    private const float Rim = 0.8f;
    private const int Tips = 5;
    private const double StarShare = 0.72;

    /// <summary>Radius on the page, in points.</summary>
    public double Radius => Starred ? Look.StarRadius : Look.DotRadius;

    /// <summary>Puts a point on a plot.</summary>
    public void AddTo(Plot plot, double x, double y, Color color)
    {
        var marker = plot.Add.Marker(x, y, MarkerShape.FilledCircle, (float)(2 * Radius), color);
        marker.MarkerStyle.CustomRenderer = this;
    }

    /// <inheritdoc/>
    public void Render(SKCanvas canvas, Paint paint, Pixel center, float size, MarkerStyle markerStyle) =>
        Draw(canvas, new(center.X, center.Y), markerStyle.FillColor);

    /// <summary>Draws the point.</summary>
    public void Draw(SKCanvas canvas, Position centre, Color color)
    {
        using var fill = new SKPaint { Color = color.ToSKColor(), IsAntialias = true };
        using var line = new SKPaint
        {
            Color = (Starred ? Look.Ink : Colors.White).ToSKColor(),
            IsAntialias = true,
            IsStroke = true,
            StrokeWidth = Rim,
        };
        using var outline = Outline(centre);
        canvas.DrawPath(outline, fill);
        canvas.DrawPath(outline, line);
        if (!Starred) return;
        using var star = Polygon(centre, 2 * Tips, StarShare * Radius, i => i % 2 == 0 ? 1 : 0.42);
        using var white = new SKPaint { Color = SKColors.White, IsAntialias = true };
        canvas.DrawPath(star, white);
    }

    /// <summary>All shapes cover about as much as the circle does.</summary>
    private SKPath Outline(Position centre)
    {
        switch (Shape)
        {
            case PointShape.Square: return Polygon(centre, 4, 1.25 * Radius, _ => 1, turn: Math.PI / 4);
            case PointShape.Triangle: return Polygon(centre with { Y = centre.Y + 0.15 * Radius }, 3, 1.4 * Radius, _ => 1);
            case PointShape.Diamond: return Polygon(centre, 4, 1.3 * Radius, _ => 1);
            case PointShape.TriangleDown:
                return Polygon(
                centre with { Y = centre.Y - 0.15 * Radius }, 3, 1.4 * Radius, _ => 1, turn: Math.PI);
            case PointShape.Hexagon: return Polygon(centre, 6, 1.1 * Radius, _ => 1, turn: Math.PI / 6);
            case PointShape.Plus: return Polygon(centre, 12, 1.2 * Radius, Arm, turn: Math.PI / 12);
            case PointShape.Cross: return Polygon(centre, 12, 1.2 * Radius, Arm, turn: Math.PI / 12 + Math.PI / 4);
            default:
                var circle = new SKPath();
                circle.AddCircle((float)centre.X, (float)centre.Y, (float)Radius);
                return circle;
        }

        static double Arm(int corner) => corner % 3 == 2 ? 0.5 : 1;
    }

    private static SKPath Polygon(Position centre, int corners, double radius, Func<int, double> share, double turn = 0)
    {
        var points = new SKPoint[corners];
        for (var i = 0; i < corners; i++)
        {
            var (sin, cos) = Math.SinCos(2 * Math.PI * i / corners + turn);
            points[i] = new((float)(centre.X + share(i) * radius * sin), (float)(centre.Y - share(i) * radius * cos));
        }
        var path = new SKPath();
        path.AddPoly(points);
        return path;
    }
}
