namespace KvPareto.Sweep.Search;

/// <summary>
/// By how much one setting's score will lie above another's when all samples are measured, judged by the first of them: a normal
/// distribution around the paired difference so far.
/// </summary>
/// <param name="Points">The difference so far, in points of score.</param>
/// <param name="Deviation">Standard deviation of what it will be.</param>
internal readonly record struct ScoreLead(double Points, double Deviation)
{
    // Before anything is seen two settings differ on one question in ten, and that counts as much as one sample.
    private const double PriorVariance = 0.1;
    private const double PriorWeight = 1;

    /// <summary>The lead of one setting over another.</summary>
    /// <param name="one">A setting of which at least so many samples were measured.</param>
    /// <param name="other">Another.</param>
    /// <param name="counts">[tasks]: first samples that are compared.</param>
    public static ScoreLead Of(SearchPoint one, SearchPoint other, IReadOnlyList<int> counts)
    {
        var (sum, squares, freedom, open, tasks) = (0.0, PriorWeight * PriorVariance, PriorWeight, 0.0, 0);
        for (var task = 0; task < counts.Count; task++)
        {
            var (seen, count) = (one.Tasks[task], counts[task]);
            if (!seen.IsScored) continue;
            var (mean, spread) = Differences(seen.Scores, other.Tasks[task].Scores, count);
            tasks++;
            sum += mean;
            squares += spread;
            freedom += count - 1;
            // The score is over these samples and no others: the more of them are known, the less is left open.
            open += 1.0 / count - 1.0 / seen.Samples;
        }
        return new(100 * sum / tasks, 100 * Math.Sqrt(squares / freedom * open) / tasks);
    }

    /// <summary>How certain it is that the lead will be below some points, 0 to 1.</summary>
    public double ChanceBelow(double points) =>
        Deviation > 0 ? NormalDistribution.Below((points - Points) / Deviation) : Points < points ? 1 : 0;

    private static (double Mean, double Spread) Differences(IReadOnlyList<double> one, IReadOnlyList<double> other, int count)
    {
        var mean = 0.0;
        for (var i = 0; i < count; i++) mean += (one[i] - other[i]) / count;
        var spread = 0.0;
        for (var i = 0; i < count; i++) spread += (one[i] - other[i] - mean) * (one[i] - other[i] - mean);
        return (mean, spread);
    }
}
