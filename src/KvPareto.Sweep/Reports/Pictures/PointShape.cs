namespace KvPareto.Sweep.Reports.Pictures;

/// <summary>Outlines of points, in the order in which the values of an axis take them.</summary>
internal enum PointShape
{
    Circle,
    Square,
    Triangle,
    Diamond,
    TriangleDown,
    Hexagon,
    Plus,
    Cross,
}
