namespace KvPareto.Sweep.Frontier;

/// <summary>
/// The volume that a set of points dominates within the box up to a reference point, exact for any number of objectives:
/// a sweep for two, and the WFG recursion above that (While, Bradstreet, Barone, "A Fast Way of Calculating Exact Hypervolumes",
/// IEEE TEVC 2012), which drops one objective a level.
/// </summary>
internal static class Hypervolume
{
    /// <summary>The dominated volume in the product of the objectives' units.</summary>
    /// <param name="points">[n][d], finite. Those not strictly better than the reference in every objective add nothing.</param>
    /// <param name="reference">[d], finite: the worst corner of the box.</param>
    /// <param name="maximise">[d]: whether more is better.</param>
    /// <exception cref="ArgumentException">
    /// A point or the reference has another number of objectives, or a value that is not finite.
    /// </exception>
    public static double Compute(IReadOnlyList<double[]> points, ReadOnlySpan<double> reference, ReadOnlySpan<bool> maximise)
    {
        ArgumentNullException.ThrowIfNull(points);
        var corner = Costs.Of(reference, maximise, "the reference point");
        var inside = Array.FindAll(Costs.Of(points, maximise), cost => IsInside(cost, corner));
        return Volume(inside, corner);
    }

    private static bool IsInside(double[] cost, double[] corner)
    {
        for (var i = 0; i < cost.Length; i++)
            if (!(cost[i] < corner[i])) return false;
        return true;
    }

    private static double Volume(double[][] costs, double[] corner)
    {
        if (costs.Length == 0) return 0;
        return corner.Length switch
        {
            1 => corner[0] - costs.Min(cost => cost[0]),
            2 => Area(costs, corner),
            _ => SumOfSlices(costs, corner),
        };
    }

    private static double Area(double[][] costs, double[] corner)
    {
        Array.Sort(costs, Costs.Compare);
        var (area, height) = (0.0, corner[1]);
        foreach (var cost in costs)
        {
            if (!(cost[1] < height)) continue;
            area += (corner[0] - cost[0]) * (height - cost[1]);
            height = cost[1];
        }
        return area;
    }

    /// <summary>
    /// Adds for each point what it dominates alone among itself and the points that follow. Taken by falling last cost, what the
    /// followers share with it has its own extent in the last objective, so the shared volume needs one objective less.
    /// </summary>
    private static double SumOfSlices(double[][] costs, double[] corner)
    {
        Array.Sort(costs, (a, b) => a[^1] != b[^1] ? b[^1].CompareTo(a[^1]) : Costs.Compare(b, a));
        var (volume, face) = (0.0, corner[..^1]);
        for (var i = 0; i < costs.Length; i++)
        {
            var own = 1.0;
            for (var j = 0; j < face.Length; j++) own *= face[j] - costs[i][j];
            volume += (own - Volume(Shared(costs, i, face.Length), face)) * (corner[^1] - costs[i][^1]);
        }
        return volume;
    }

    /// <summary>The followers' boxes cut down to that of point <paramref name="first"/>, dominated ones and copies left out.</summary>
    private static double[][] Shared(double[][] costs, int first, int objectives)
    {
        var cut = new double[costs.Length - first - 1][];
        for (var i = 0; i < cut.Length; i++)
        {
            cut[i] = new double[objectives];
            for (var j = 0; j < objectives; j++) cut[i][j] = Math.Max(costs[first][j], costs[first + 1 + i][j]);
        }
        if (objectives <= 2) return cut;
        Array.Sort(cut, Costs.Compare);
        var kept = new List<double[]>();
        foreach (var cost in cut)
            if (!kept.Exists(other => Costs.Dominates(other, cost) || Costs.Compare(other, cost) == 0)) kept.Add(cost);
        return [.. kept];
    }
}
