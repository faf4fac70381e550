namespace KvPareto.Sweep.Results;

/// <summary>Figures of repeated measurements.</summary>
internal static class SampleStatistics
{
    /// <summary>The middle value, or the mean of the two; null of nothing.</summary>
    public static double? Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        var middle = sorted.Length / 2;
        return sorted.Length == 0 ? null : sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    /// <summary>Sample standard deviation (of n − 1); null of fewer than two values.</summary>
    public static double? Deviation(double[] values)
    {
        if (values.Length < 2) return null;
        var mean = values.Average();
        return Math.Sqrt(values.Sum(value => (value - mean) * (value - mean)) / (values.Length - 1));
    }
}
