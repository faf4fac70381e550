namespace KvPareto.Sweep.Reports.Cairo;

/// <summary>A place on a canvas, in points from its upper left corner.</summary>
internal readonly record struct Position(double X, double Y);

/// <summary>A rectangle on a canvas, in points.</summary>
internal readonly record struct Box(double Left, double Top, double Width, double Height)
{
    /// <summary>Right edge.</summary>
    public double Right => Left + Width;

    /// <summary>Lower edge.</summary>
    public double Bottom => Top + Height;

    /// <summary>The middle.</summary>
    public Position Centre => new(Left + Width / 2, Top + Height / 2);

    /// <summary>A box around a place.</summary>
    public static Box Around(Position centre, double radius) => new(centre.X - radius, centre.Y - radius, 2 * radius, 2 * radius);

    /// <summary>The box with a rim.</summary>
    public Box Grown(double rim) => new(Left - rim, Top - rim, Width + 2 * rim, Height + 2 * rim);

    /// <summary>Whether another lies wholly within.</summary>
    public bool Contains(Box other) => other.Left >= Left && other.Top >= Top && other.Right <= Right && other.Bottom <= Bottom;

    /// <summary>Area that both cover.</summary>
    public double Overlap(Box other) =>
        Math.Max(0, Math.Min(Right, other.Right) - Math.Max(Left, other.Left))
            * Math.Max(0, Math.Min(Bottom, other.Bottom) - Math.Max(Top, other.Top));
}

/// <summary>A colour, each part 0 to 1.</summary>
internal readonly record struct Color(double Red, double Green, double Blue, double Alpha = 1)
{
    /// <summary>White.</summary>
    public static readonly Color White = new(1, 1, 1);

    /// <summary>From the usual six hex digits.</summary>
    public static Color Of(int rgb) => new((rgb >> 16) / 255.0, ((rgb >> 8) & 255) / 255.0, (rgb & 255) / 255.0);
}

/// <summary>How a line is drawn: colour, width in points, and lengths of dashes and gaps; none is a solid line.</summary>
internal readonly record struct Stroke(Color Color, double Width, params double[] Dashes)
{
    /// <summary>Dashes and gaps, never null.</summary>
    public ReadOnlySpan<double> Dash => Dashes;
}

/// <summary>Size in points, colour and weight of a text.</summary>
internal readonly record struct TextStyle(double Size, Color Color, bool Bold = false);

/// <summary>Extents of a line of text: width, and height above and below its baseline.</summary>
internal readonly record struct TextSize(double Width, double Ascent, double Descent)
{
    /// <summary>Ascent and descent.</summary>
    public double Height => Ascent + Descent;
}
