namespace KvPareto.Sweep.Search;

/// <summary>
/// Ranks settings by divergence: first those that no other setting undercuts in both memory and divergence, some of them; then, batch by
/// batch, those whose expected score is likely to add the most hypervolume, each on a part of the samples, then on twice as many, as long
/// as its interval reaches above what is known, and what it is expected to add is worth it.
/// </summary>
/// <param name="options">Options.</param>
internal sealed class PredictSearch(PredictOptions options) : ISearch
{
    private PredictCourse? _course;

    /// <inheritdoc/>
    public SearchStep Next(IReadOnlyList<SearchPoint> points)
    {
        ProbeWish[] probes =
        [
            .. points.Index().Where(pair => pair.Item is { Divergence: null, ProbeFailure: null, State: not PointState.Failed })
                .Select(pair => new ProbeWish(pair.Index)),
        ];
        if (probes.Length > 0) return new(probes, []);

        var unprobed = points.Index().Where(pair => pair.Item is { ProbeFailure: not null, State: PointState.Open, IsBaseline: false })
            .Select(pair => new SearchVerdict(pair.Index, $"its probe failed: {pair.Item.ProbeFailure}"));
        if (_course?.IsOf(points) != true) _course = new(options, points);
        var step = _course.GoOn(points);
        return step with { Dropped = [.. unprobed, .. step.Dropped] };
    }
}
