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
        var expected = open.Select(index => (Index: index, Gain: Gain(points, index, forecast)));
        return
        [
            .. expected.Where(one => forecast.Of(one.Index).Interval(options.Confidence).High
                    > forecast.Known.BestWithin(points[one.Index].PeakBytes).Score + options.Margin
                    && one.Gain >= options.Gain / 100 * forecast.Known.Reached)
                .OrderByDescending(one => one.Gain)
                .ThenBy(one => one.Index).Take(options.Batch).Select(one => (one.Index, reached[one.Index] + 1)),
        ];
    }

    private string Reason(IReadOnlyList<SearchPoint> points, int index, ScoreForecast forecast) =>
        forecast.Reason(index, options.Confidence) + (options.Gain == 0 || forecast.Known.Reached == 0 ? "" : string.Create(
            CultureInfo.InvariantCulture,
            $"; {100 * Gain(points, index, forecast) / forecast.Known.Reached:G2} % of hypervolume are expected of it"));

    private static double Gain(IReadOnlyList<SearchPoint> points, int index, ScoreForecast forecast) =>
        forecast.Known.ExpectedGain(points[index].PeakBytes, forecast.Of(index));
}
