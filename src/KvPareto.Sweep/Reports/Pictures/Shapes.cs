namespace KvPareto.Sweep.Reports.Pictures;

/// <summary>A place on a page, in points from its upper left corner.</summary>
internal readonly record struct Position(double X, double Y)
{
    /// <summary>Distance to another place.</summary>
    public double To(Position other) => double.Hypot(other.X - X, other.Y - Y);
}

/// <summary>A rectangle on a page, in points.</summary>
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

    /// <summary>The place within that is nearest to another.</summary>
    public Position Nearest(Position place) => new(Math.Clamp(place.X, Left, Right), Math.Clamp(place.Y, Top, Bottom));

    /// <summary>Distance to a place; 0 for one within.</summary>
    public double DistanceTo(Position place) => Nearest(place).To(place);
}
