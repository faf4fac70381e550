namespace KvPareto.Sweep.Reports.Pictures;

/// <summary>A straight line between two places.</summary>
internal readonly record struct LineSegment(Position From, Position To)
{
    /// <summary>Whether a part of the line lies within a box (Liang and Barsky's clipping).</summary>
    public bool Crosses(Box box)
    {
        var (enter, leave) = (0.0, 1.0);
        return Clip(From.X - To.X, From.X - box.Left, ref enter, ref leave)
            && Clip(To.X - From.X, box.Right - From.X, ref enter, ref leave)
            && Clip(From.Y - To.Y, From.Y - box.Top, ref enter, ref leave)
            && Clip(To.Y - From.Y, box.Bottom - From.Y, ref enter, ref leave);
    }

    /// <summary>Whether two lines cross.</summary>
    public bool Crosses(LineSegment other) =>
        Side(other.From) * Side(other.To) < 0 && other.Side(From) * other.Side(To) < 0;

    /// <summary>Distance to a place.</summary>
    public double DistanceTo(Position place)
    {
        var (x, y) = (To.X - From.X, To.Y - From.Y);
        var length = x * x + y * y;
        var share = length > 0 ? Math.Clamp(((place.X - From.X) * x + (place.Y - From.Y) * y) / length, 0, 1) : 0;
        return new Position(From.X + share * x, From.Y + share * y).To(place);
    }

    private double Side(Position place) => (To.X - From.X) * (place.Y - From.Y) - (To.Y - From.Y) * (place.X - From.X);

    private static bool Clip(double slope, double room, ref double enter, ref double leave)
    {
        if (slope == 0) return room >= 0;
        var at = room / slope;
        if (slope < 0) enter = Math.Max(enter, at);
        else leave = Math.Min(leave, at);
        return enter <= leave;
    }
}
