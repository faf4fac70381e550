namespace KvPareto.Sweep.Search;

/// <summary>Spearman's rank correlation: that of the ranks, equal values sharing the mean of theirs.</summary>
internal static class RankCorrelation
{
    /// <summary>From −1 to 1; null where one of the two does not vary.</summary>
    public static double? Of(IReadOnlyList<double> first, IReadOnlyList<double> second)
    {
        var (a, b) = (Ranks(first), Ranks(second));
        var middle = (first.Count + 1) / 2.0;
        var (covariance, varianceA, varianceB) = (0.0, 0.0, 0.0);
        for (var i = 0; i < a.Length; i++)
        {
            covariance += (a[i] - middle) * (b[i] - middle);
            varianceA += (a[i] - middle) * (a[i] - middle);
            varianceB += (b[i] - middle) * (b[i] - middle);
        }
        return varianceA > 0 && varianceB > 0 ? covariance / Math.Sqrt(varianceA * varianceB) : null;
    }

    private static double[] Ranks(IReadOnlyList<double> values)
    {
        var ranks = new double[values.Count];
        int[] order = [.. Enumerable.Range(0, values.Count).OrderBy(index => values[index])];
        for (var (start, end) = (0, 0); start < order.Length; start = end)
        {
            for (end = start + 1; end < order.Length && values[order[end]] == values[order[start]];) end++;
            for (var i = start; i < end; i++) ranks[order[i]] = (start + 1 + end) / 2.0;
        }
        return ranks;
    }
}
