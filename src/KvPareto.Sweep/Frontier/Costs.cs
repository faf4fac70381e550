namespace KvPareto.Sweep.Frontier;

/// <summary>Points turned so that less is better in every objective.</summary>
internal static class Costs
{
    /// <summary>Checked copies of the points, values to maximise negated.</summary>
    /// <exception cref="ArgumentException">A point has another number of objectives, or a value that is not finite.</exception>
    public static double[][] Of(IReadOnlyList<double[]> points, ReadOnlySpan<bool> maximise)
    {
        if (maximise.Length == 0) throw new ArgumentException("at least one objective is needed", nameof(maximise));
        var costs = new double[points.Count][];
        for (var i = 0; i < costs.Length; i++) costs[i] = Of(points[i], maximise, "point", i);
        return costs;
    }

    /// <summary>One checked copy; <paramref name="name"/> stands in the message, with its <paramref name="number"/> where it is one of
    /// several.</summary>
    /// <exception cref="ArgumentException">The point has another number of objectives, or a value that is not finite.</exception>
    public static double[] Of(ReadOnlySpan<double> point, ReadOnlySpan<bool> maximise, string name, int? number = null)
    {
        if (point.Length != maximise.Length)
            throw new ArgumentException($"{Named()} has {point.Length} values, but there are {maximise.Length} objectives");
        var cost = new double[point.Length];
        for (var i = 0; i < cost.Length; i++)
        {
            if (!double.IsFinite(point[i])) throw new ArgumentException($"{Named()}: value {i} is not a finite number");
            cost[i] = maximise[i] ? -point[i] : point[i];
        }
        return cost;

        string Named() => number is { } index ? $"{name} {index}" : name;
    }

    /// <summary>Lexicographic order.</summary>
    public static int Compare(double[] a, double[] b)
    {
        for (var i = 0; i < a.Length; i++)
            if (a[i] != b[i]) return a[i] < b[i] ? -1 : 1;
        return 0;
    }

    /// <summary>Whether a is nowhere above b and somewhere below it.</summary>
    public static bool Dominates(double[] a, double[] b)
    {
        var below = false;
        for (var i = 0; i < a.Length; i++)
        {
            if (a[i] > b[i]) return false;
            below |= a[i] < b[i];
        }
        return below;
    }
}
