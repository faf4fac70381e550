using FsCheck;
using FsCheck.Fluent;

namespace KvPareto.Sweep.Tests.Frontier;

/// <summary>Point sets with many ties: few points, small whole coordinates, one to five objectives.</summary>
internal sealed record RandomPoints(double[][] Points, bool[] Maximise)
{
    public static Arbitrary<RandomPoints> Sets(int most = 8) => Arb.From(
        from objectives in Gen.Choose(1, 5)
        from count in Gen.Choose(0, most)
        from maximise in Gen.Elements(true, false).ArrayOf(objectives)
        from points in Gen.Choose(0, 5).Select(value => (double)value).ArrayOf(objectives).ArrayOf(count)
        select new RandomPoints(points, maximise));

    /// <summary>A point worse than all, the corner of the box.</summary>
    public double[] Reference => [.. Maximise.Select(more => more ? -1.0 : 6.0)];

    public bool Dominates(double[] a, double[] b)
    {
        var gains = a.Zip(b, Maximise).Select(value => value.Third ? value.First - value.Second : value.Second - value.First).ToList();
        return gains.TrueForAll(gain => gain >= 0) && gains.Exists(gain => gain > 0);
    }

    public override string ToString() =>
        string.Join(' ', Points.Select(point => "(" + string.Join(',', point) + ")")) + " " + string.Join(',', Maximise);
}
