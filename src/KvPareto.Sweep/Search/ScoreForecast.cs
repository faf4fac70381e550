using System.Globalization;
using KvPareto.Sweep.Frontier;

namespace KvPareto.Sweep.Search;

/// <summary>
/// What settings are expected to score: predicted from their divergence, and, where a part of their samples was measured, put together
/// with by how much they lead on these the measured setting that is nearest in divergence, each counting by its precision. What is so
/// expected of settings that were measured in part helps to predict those that were not.
/// </summary>
internal sealed class ScoreForecast
{
    private readonly IReadOnlyList<SearchPoint> _points;
    private readonly IReadOnlyList<int> _known;
    private readonly IReadOnlyDictionary<int, int> _reached;
    private readonly SampleLevels _levels;
    private readonly int[] _probed;
    private readonly ScorePredictor _fromWhole;
    private readonly ScorePredictor _fromAll;
    private readonly Dictionary<int, ScorePrediction> _parts;

    /// <summary>A forecast.</summary>
    /// <param name="points">All settings.</param>
    /// <param name="known">Those that were measured whole.</param>
    /// <param name="reached">Of each probed setting, the level up to which its samples count, whatever else was measured.</param>
    /// <param name="levels">Parts of samples.</param>
    public ScoreForecast(
        IReadOnlyList<SearchPoint> points, IReadOnlyList<int> known, IReadOnlyDictionary<int, int> reached, SampleLevels levels)
    {
        (_points, _known, _reached, _levels) = (points, known, reached, levels);
        // A baseline whose probe failed has a score and no divergence.
        _probed = [.. known.Where(index => points[index].Divergence is not null)];
        var whole = _probed.Select(index => (points[index].Divergence!.Value, points[index].Score)).ToList();
        _fromWhole = new(whole);
        _parts = reached.Where(pair => pair.Value > 0 && pair.Value < levels.Whole)
            .ToDictionary(pair => pair.Key, pair => OfPart(pair.Key));
        var parts = _parts.OrderBy(pair => pair.Key).Select(pair => (points[pair.Key].Divergence!.Value, pair.Value.Mean));
        _fromAll = new([.. whole, .. parts]);
        Known = new(
            [.. known.Select(index => (points[index].PeakBytes, points[index].Score))],
            ModelFrontier.ReferenceBytesOf(points.Max(point => point.PeakBytes)));
    }

    /// <summary>What has been reached.</summary>
    public KnownFrontier Known { get; }

    /// <summary>The score that a probed setting is expected to have.</summary>
    public ScorePrediction Of(int index) =>
        _parts.TryGetValue(index, out var part) ? part : _fromAll.Predict(_points[index].Divergence!.Value);

    /// <summary>Why a setting is not measured any further, in one line.</summary>
    /// <param name="index">The setting.</param>
    /// <param name="halfWidth">Of the interval that is named: <see cref="ScorePrediction.Interval"/>.</param>
    public string Reason(int index, double halfWidth)
    {
        var (point, level) = (_points[index], _reached[index]);
        var (low, high) = Of(index).Interval(halfWidth);
        var (best, rival) = Known.BestWithin(point.PeakBytes);
        var seen = level == 0 ? "" : string.Create(
            CultureInfo.InvariantCulture, $" and after {_levels.Counts(level).Sum()} of {point.Tasks.Sum(task => task.Samples)} samples");
        return string.Create(
            CultureInfo.InvariantCulture,
            $"at a divergence of {point.Divergence:G3} nats{seen} a score of {low:F1} to {high:F1} is predicted")
            + (rival < 0 ? "" : string.Create(
                CultureInfo.InvariantCulture, $", and {_points[_known[rival]].Setting.Name}, which is at most as heavy, has {best:F1}"));
    }

    private ScorePrediction OfPart(int index)
    {
        var divergence = _points[index].Divergence!.Value;
        var peer = _probed.MinBy(other => (ScorePredictor.Distance(_points[other].Divergence!.Value, divergence), other));
        var lead = ScoreLead.Of(_points[index], _points[peer], _levels.Counts(_reached[index]));
        var score = Math.Clamp(_points[peer].Score + lead.Points, 0, ModelFrontier.BestScore);
        return _fromWhole.Predict(divergence).With(score, lead.Deviation);
    }
}
