namespace KvPareto.Sweep.Frontier;

/// <summary>
/// Non-dominated sets. Point a dominates b where a is at least as good in every objective and better in one, so equal points do
/// not dominate each other: all copies of a non-dominated point stay.
/// </summary>
internal static class ParetoFrontier
{
    /// <summary>
    /// Tells for each point whether no other dominates it: O(n log n) for one and two objectives, O(n·f) comparisons for more,
    /// with f non-dominated points.
    /// </summary>
    /// <param name="points">[n][d]: one value an objective; all finite.</param>
    /// <param name="maximise">[d]: whether more is better.</param>
    /// <returns>[n], in the order of the points.</returns>
    /// <exception cref="ArgumentException">
    /// A point has another number of objectives, or a value that is not finite; the message names its index.
    /// </exception>
    public static bool[] NonDominated(IReadOnlyList<double[]> points, ReadOnlySpan<bool> maximise)
    {
        ArgumentNullException.ThrowIfNull(points);
        var costs = Costs.Of(points, maximise);
        var order = new int[costs.Length];
        for (var i = 0; i < order.Length; i++) order[i] = i;
        Array.Sort(order, (a, b) => Costs.Compare(costs[a], costs[b]));
        return maximise.Length <= 2 ? Sweep(costs, order) : Filter(costs, order);
    }

    /// <summary>
    /// In the order of the first cost, a point stays where its last cost is below all before it, or it equals the last that stayed.
    /// </summary>
    private static bool[] Sweep(double[][] costs, int[] order)
    {
        var kept = new bool[costs.Length];
        double[]? last = null;
        foreach (var index in order)
        {
            var point = costs[index];
            if (last is not null && !(point[^1] < last[^1]) && Costs.Compare(point, last) != 0) continue;
            kept[index] = true;
            last = point;
        }
        return kept;
    }

    /// <summary>A point's dominators come before it in lexicographic order, and one of them is non-dominated itself.</summary>
    private static bool[] Filter(double[][] costs, int[] order)
    {
        var kept = new bool[costs.Length];
        var frontier = new List<double[]>();
        foreach (var index in order)
        {
            if (frontier.Exists(other => Costs.Dominates(other, costs[index]))) continue;
            kept[index] = true;
            frontier.Add(costs[index]);
        }
        return kept;
    }
}
