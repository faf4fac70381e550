using System.Globalization;

namespace KvPareto.Sweep.Search;

/// <summary>
/// Ranks settings by divergence: first those that no other setting undercuts in both memory and divergence, some of them; then, batch by
/// batch, those whose expected score is likely to add the most hypervolume, each on a part of the samples, then on twice as many, as long
/// as its interval reaches above what is known, and what it is expected to add is worth it.
/// </summary>
/// <param name="options">Options.</param>
internal sealed class PredictSearch(PredictOptions options) : ISearch
{
    private const int FirstSettings = 4;

    /// <inheritdoc/>
    public SearchStep Next(IReadOnlyList<SearchPoint> points)
    {
        ProbeWish[] probes =
        [
            .. points.Index().Where(pair => pair.Item is { Divergence: null, ProbeFailure: null, State: not PointState.Failed })
                .Select(pair => new ProbeWish(pair.Index)),
        ];
        if (probes.Length > 0) return new(probes, []);

        var dropped = points.Index().Where(pair => pair.Item is { ProbeFailure: not null, State: PointState.Open, IsBaseline: false })
            .Select(pair => new SearchVerdict(pair.Index, $"its probe failed: {pair.Item.ProbeFailure}")).ToList();
        var open = points.Index().Where(pair => pair.Item is { Divergence: not null, State: not PointState.Failed })
            .Select(pair => pair.Index).ToList();
        var levels = new SampleLevels(points[0].Tasks, options.Levels);
        var known = First(points, open);
        var next = known.ConvertAll(index => (Point: index, Level: levels.Whole));
        var reached = open.ToDictionary(index => index, _ => 0);
        while (true)
        {
            SearchWish[] wishes = [.. next.Where(step => !levels.Has(points[step.Point], step.Level)).Select(step => Wish(levels, step))];
            if (wishes.Length > 0) return new(wishes, dropped);
            foreach (var (point, level) in next) reached[point] = level;
            open.RemoveAll(index => reached[index] == levels.Whole);
            known.AddRange(next.Select(step => step.Point).Where(index => reached[index] == levels.Whole).Except(known));
            var forecast = new ScoreForecast(points, known, reached, levels);
            next = Best(points, open, reached, forecast);
            if (next.Count > 0) continue;
            dropped.AddRange(open.Where(index => points[index].State == PointState.Open)
                .Select(index => new SearchVerdict(index, Reason(points, index, forecast))));
            return new([], dropped);
        }
    }

    private static SearchWish Wish(SampleLevels levels, (int Point, int Level) step) =>
        step.Level == levels.Whole ? new WholeWish(step.Point) : new PartWish(step.Point, levels.Counts(step.Level));

    // The baseline, and settings spread over those that are not undercut, the lightest and the heaviest among them.
    private List<int> First(IReadOnlyList<SearchPoint> points, List<int> open)
    {
        var rim = new List<int>();
        foreach (var index in open.OrderBy(index => points[index].PeakBytes).ThenBy(index => points[index].Divergence))
            if (rim.Count == 0 || points[index].Divergence < points[rim[^1]].Divergence) rim.Add(index);
        var count = Math.Min(rim.Count, Math.Max(FirstSettings, options.Batch));
        var spread = Enumerable.Range(0, count).Select(step => rim[count == 1 ? 0 : step * (rim.Count - 1) / (count - 1)]);
        return [.. points.Index().Where(pair => pair.Item is { IsBaseline: true, State: not PointState.Failed }).Select(pair => pair.Index)
            .Concat(spread).Distinct()];
    }

    private List<(int Point, int Level)> Best(
        IReadOnlyList<SearchPoint> points, List<int> open, Dictionary<int, int> reached, ScoreForecast forecast)
    {
        var worthwhile =
            from index in open
            let score = forecast.Of(index)
            let peak = points[index].PeakBytes
            where score.Interval(options.Confidence).High > forecast.Known.BestWithin(peak).Score + options.Margin
            let gain = forecast.Known.ExpectedGain(peak, score)
            where gain >= options.Gain / 100 * forecast.Known.Reached
            orderby gain descending, index
            select (index, reached[index] + 1);
        return [.. worthwhile.Take(options.Batch)];
    }

    private string Reason(IReadOnlyList<SearchPoint> points, int index, ScoreForecast forecast)
    {
        var reason = forecast.Reason(index, options.Confidence);
        if (options.Gain == 0 || forecast.Known.Reached == 0) return reason;
        var percent = 100 * forecast.Known.ExpectedGain(points[index].PeakBytes, forecast.Of(index)) / forecast.Known.Reached;
        return string.Create(CultureInfo.InvariantCulture, $"{reason}; {percent:G2} % of hypervolume are expected of it");
    }
}
