using System.Globalization;
using KvPareto.Sweep.Frontier;

namespace KvPareto.Sweep.Search;

/// <summary>
/// Ranks settings by divergence: first those that no other setting undercuts in both memory and divergence, some of them; then, batch by
/// batch, those whose predicted score is expected to add the most hypervolume, until no predicted interval reaches above what is known.
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
        var known = new List<int>();
        var batch = First(points, open);
        while (batch.Count > 0)
        {
            SearchWish[] wishes = [.. batch.Where(index => points[index].State == PointState.Open).Select(index => new WholeWish(index))];
            if (wishes.Length > 0) return new(wishes, dropped);
            known.AddRange(batch);
            open.RemoveAll(batch.Contains);
            batch = Best(points, open, known);
        }
        dropped.AddRange(open.Where(index => points[index].State == PointState.Open).Select(index => Verdict(points, index, known)));
        return new([], dropped);
    }

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

    private List<int> Best(IReadOnlyList<SearchPoint> points, List<int> open, List<int> known)
    {
        var (predictor, frontier) = Model(points, known);
        return
        [
            .. open.Where(index => Reaches(points[index], predictor, frontier))
                .OrderByDescending(index =>
                    frontier.ExpectedGain(points[index].PeakBytes, predictor.Predict(points[index].Divergence!.Value)))
                .ThenBy(index => index).Take(options.Batch),
        ];
    }

    private bool Reaches(SearchPoint point, ScorePredictor predictor, KnownFrontier frontier) =>
        predictor.Predict(point.Divergence!.Value).Interval(options.Confidence).High
            > frontier.BestWithin(point.PeakBytes).Score + options.Margin;

    private static (ScorePredictor Predictor, KnownFrontier Frontier) Model(IReadOnlyList<SearchPoint> points, List<int> known) =>
    (
        // A baseline whose probe failed has a score and no divergence.
        new(known.Where(index => points[index].Divergence is not null)
            .Select(index => (points[index].Divergence!.Value, points[index].Score))),
        new([.. known.Select(index => (points[index].PeakBytes, points[index].Score))],
            ModelFrontier.ReferenceBytesOf(points.Max(point => point.PeakBytes)))
    );

    private SearchVerdict Verdict(IReadOnlyList<SearchPoint> points, int index, List<int> known)
    {
        var (predictor, frontier) = Model(points, known);
        var point = points[index];
        var (low, high) = predictor.Predict(point.Divergence!.Value).Interval(options.Confidence);
        var (best, rival) = frontier.BestWithin(point.PeakBytes);
        return new(index, string.Create(
            CultureInfo.InvariantCulture,
            $"at a divergence of {point.Divergence:G3} nats a score of {low:F1} to {high:F1} is predicted")
            + (rival < 0 ? "" : string.Create(
                CultureInfo.InvariantCulture, $", and {points[known[rival]].Setting.Name}, which is at most as heavy, has {best:F1}")));
    }
}
