using System.Globalization;

namespace KvPareto.Sweep.Search;

/// <summary>
/// The decisions of <see cref="PredictSearch"/> on probed settings from the first one on, up to what is not measured yet. They follow from
/// one another: as long as nothing changes that they were made by, those that are behind need not be made again.
/// </summary>
internal sealed class PredictCourse
{
    private const int FirstSettings = 4;

    private readonly PredictOptions _options;
    private readonly IReadOnlyList<SearchPoint> _begin;
    private readonly SampleLevels _levels;
    private readonly double _halfWidth;
    private readonly List<int> _open;
    private readonly List<int> _known;
    private readonly Dictionary<int, int> _reached;
    private readonly Dictionary<int, IReadOnlyList<SeenTask>> _seen = []; // what was measured of those in _reached
    private List<(int Point, int Level)> _next;

    /// <summary>A course at its beginning.</summary>
    /// <param name="options">Options.</param>
    /// <param name="points">Settings, all of them probed.</param>
    public PredictCourse(PredictOptions options, IReadOnlyList<SearchPoint> points)
    {
        (_options, _begin, _levels) = (options, points, new(points[0].Tasks, options.Levels));
        _halfWidth = NormalDistribution.HalfWidth(options.Confidence);
        _open = [.. points.Index().Where(pair => pair.Item is { Divergence: not null, State: not PointState.Failed })
            .Select(pair => pair.Index)];
        _known = First();
        _next = _known.ConvertAll(index => (Point: index, Level: _levels.Whole));
        _reached = _open.ToDictionary(index => index, _ => 0);
    }

    /// <summary>Whether all that was decided would be decided again.</summary>
    public bool IsOf(IReadOnlyList<SearchPoint> points) =>
        points.Count == _begin.Count && points.Zip(_begin).All(pair => IsAlike(pair.First, pair.Second))
            && _seen.All(pair => IsSeenAlike(points[pair.Key].Tasks, pair.Value, _reached[pair.Key]));

    /// <summary>Goes on as far as what has been measured allows.</summary>
    /// <param name="points">What is known by now of the settings, which <see cref="IsOf"/> holds for.</param>
    public SearchStep GoOn(IReadOnlyList<SearchPoint> points)
    {
        while (true)
        {
            SearchWish[] wishes = [.. _next.Where(step => !_levels.Has(points[step.Point], step.Level)).Select(Wish)];
            if (wishes.Length > 0) return new(wishes, []);
            foreach (var (point, level) in _next) (_reached[point], _seen[point]) = (level, points[point].Tasks);
            _open.RemoveAll(index => _reached[index] == _levels.Whole);
            _known.AddRange(_next.Select(step => step.Point).Where(index => _reached[index] == _levels.Whole).Except(_known));
            var forecast = new ScoreForecast(points, _known, _reached, _levels);
            _next = Best(points, forecast);
            if (_next.Count > 0) continue;
            return new([], [.. _open.Where(index => points[index].State == PointState.Open)
                .Select(index => new SearchVerdict(index, Reason(points, index, forecast)))]);
        }
    }

    // How far a trial is does not matter, nor what was measured of it besides: only what is asked for counts.
    private static bool IsAlike(SearchPoint one, SearchPoint other) =>
        one.Divergence == other.Divergence && one.PeakBytes == other.PeakBytes && one.IsBaseline == other.IsBaseline
            && one.State == PointState.Failed == (other.State == PointState.Failed);

    private bool IsSeenAlike(IReadOnlyList<SeenTask> one, IReadOnlyList<SeenTask> other, int level)
    {
        var counts = _levels.Counts(level);
        return one.Zip(other).Index().All(pair =>
            pair.Item.First.Scores.Take(counts[pair.Index]).SequenceEqual(pair.Item.Second.Scores.Take(counts[pair.Index])));
    }

    private SearchWish Wish((int Point, int Level) step) =>
        step.Level == _levels.Whole ? new WholeWish(step.Point) : new PartWish(step.Point, _levels.Counts(step.Level));

    // The baseline, and settings spread over those that are not undercut, the lightest and the heaviest among them.
    private List<int> First()
    {
        var rim = new List<int>();
        foreach (var index in _open.OrderBy(index => _begin[index].PeakBytes).ThenBy(index => _begin[index].Divergence))
            if (rim.Count == 0 || _begin[index].Divergence < _begin[rim[^1]].Divergence) rim.Add(index);
        var count = Math.Min(rim.Count, Math.Max(FirstSettings, _options.Batch));
        var spread = Enumerable.Range(0, count).Select(step => rim[count == 1 ? 0 : step * (rim.Count - 1) / (count - 1)]);
        return [.. _begin.Index().Where(pair => pair.Item is { IsBaseline: true, State: not PointState.Failed }).Select(pair => pair.Index)
            .Concat(spread).Distinct()];
    }

    private List<(int Point, int Level)> Best(IReadOnlyList<SearchPoint> points, ScoreForecast forecast)
    {
        var worthwhile =
            from index in _open
            let score = forecast.Of(index)
            let peak = points[index].PeakBytes
            where score.Interval(_halfWidth).High > forecast.Known.BestWithin(peak).Score + _options.Margin
            let gain = forecast.Known.ExpectedGain(peak, score)
            where gain >= _options.Gain / 100 * forecast.Known.Reached
            orderby gain descending, index
            select (index, _reached[index] + 1);
        return [.. worthwhile.Take(_options.Batch)];
    }

    private string Reason(IReadOnlyList<SearchPoint> points, int index, ScoreForecast forecast)
    {
        var reason = forecast.Reason(index, _halfWidth);
        if (_options.Gain == 0 || forecast.Known.Reached == 0) return reason;
        var percent = 100 * forecast.Known.ExpectedGain(points[index].PeakBytes, forecast.Of(index)) / forecast.Known.Reached;
        return string.Create(CultureInfo.InvariantCulture, $"{reason}; {percent:G2} % of hypervolume are expected of it");
    }
}
