namespace KvPareto.Sweep.Frontier;

/// <summary>All measured settings of one model on one set of tasks.</summary>
/// <param name="Model">Name for people: the config's, with a part of the digest or a number where that name is not unique.</param>
/// <param name="Points">By rising peak, then falling score.</param>
/// <param name="Unplaced">The trials of this model that are no points, by setting.</param>
internal sealed record ModelFrontier(string Model, IReadOnlyList<FrontierPoint> Points, IReadOnlyList<UnplacedTrial> Unplaced)
{
    /// <summary>Score at the reference point of the hypervolume.</summary>
    public const double ReferenceScore = 0;

    /// <summary>The best score there is, in points.</summary>
    public const double BestScore = 100;

    private const double ReferenceFactor = 1.05;

    /// <summary>Those that could not be measured.</summary>
    public IReadOnlyList<UnplacedTrial> Failed { get; } = [.. Unplaced.Where(unplaced => !unplaced.IsDropped)];

    /// <summary>Those that the search did without.</summary>
    public IReadOnlyList<UnplacedTrial> Dropped { get; } = [.. Unplaced.Where(unplaced => unplaced.IsDropped)];

    /// <summary>The trials of tasks that have no score, by rising peak.</summary>
    public IReadOnlyList<CostPoint> Unscored { get; init; } = [];

    /// <summary>How far the baseline's figures move by themselves; null where it was measured once.</summary>
    public NoiseFloor? Noise { get; init; }

    /// <summary>The non-dominated points, by rising peak.</summary>
    public IEnumerable<FrontierPoint> Frontier => Points.Where(point => point.OnFrontier);

    /// <summary>The baseline's point, or null.</summary>
    public FrontierPoint? Baseline => Points.FirstOrDefault(point => point.IsBaseline);

    /// <summary>Bytes at the reference point of the hypervolume: the model's largest peak and a twentieth of it, rounded up.</summary>
    public double ReferenceBytes { get; } = Reference(Points);

    /// <summary>Percent of the box from (0 bytes, 100) to the reference point that the model's points dominate.</summary>
    public double HypervolumePercent { get; } = Percent(Points);

    /// <summary>
    /// The points that <paramref name="point"/> dominates as measured, but that some point dominates in fewer than 95 % of the
    /// resamples: the samples do not tell them from the frontier.
    /// </summary>
    public IEnumerable<FrontierPoint> NearTies(FrontierPoint point) =>
        Points.Where(other => !other.OnFrontier && other.DominatedShare < FrontierPoint.Certain && point.Dominates(other));

    private static double Reference(IReadOnlyList<FrontierPoint> points) =>
        points.Count == 0 ? 0 : ReferenceBytesOf(points.Max(point => point.PeakBytes));

    /// <summary>The same of the largest peak.</summary>
    public static double ReferenceBytesOf(long largestPeak) => Math.Ceiling(largestPeak * ReferenceFactor);

    private static double Percent(IReadOnlyList<FrontierPoint> points)
    {
        if (points.Count == 0) return 0;
        var reference = Reference(points);
        var volume = Hypervolume.Compute(
            [.. points.Select(point => new double[] { point.PeakBytes, point.Score })], [reference, ReferenceScore], [false, true]);
        return 100 * volume / (reference * (BestScore - ReferenceScore));
    }
}
