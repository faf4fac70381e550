using KvPareto.Sweep.Frontier;

namespace KvPareto.Sweep.Search;

/// <summary>What has been reached by the settings measured so far, and what another would add. As it is asked of every setting, what all
/// answers share is made once: in two dimensions a <see cref="Hypervolume"/> is a sum over the frontier's steps, and up to a
/// setting's place it is the same with and without it.</summary>
internal sealed class KnownFrontier
{
    private const int Quantiles = 20;

    private static readonly double[] Deviations =
        [.. Enumerable.Range(0, Quantiles).Select(step => NormalDistribution.Quantile((step + 0.5) / Quantiles))];

    private readonly double _referenceBytes;
    private readonly List<Step> _steps = []; // by rising peak: each is the best within its bytes

    /// <summary>The frontier of measured settings.</summary>
    /// <param name="known">Peak bytes, below the reference point's, and score of each.</param>
    /// <param name="referenceBytes">Bytes at the reference point of the hypervolume.</param>
    public KnownFrontier(IReadOnlyList<(long PeakBytes, double Score)> known, double referenceBytes)
    {
        _referenceBytes = referenceBytes;
        var (reached, height) = (0.0, ModelFrontier.ReferenceScore);
        foreach (var (index, (peak, score)) in known.Index().OrderBy(pair => pair.Item.PeakBytes)
            .ThenByDescending(pair => pair.Item.Score).ThenBy(pair => pair.Index))
        {
            if (_steps is [.., var last] && (score < last.Score || (score == last.Score && index > last.Index))) continue;
            _steps.Add(new(peak, score, index, reached));
            Raise(peak, score, ref reached, ref height);
        }
        Reached = reached;
    }

    /// <summary>Its hypervolume, in bytes × points.</summary>
    public double Reached { get; }

    /// <summary>The best score with at most so many bytes, and the first setting that has it; 0 and -1 where nothing is so light.</summary>
    public (double Score, int Index) BestWithin(long peakBytes) =>
        StepsUpTo(peakBytes) is var count and > 0 ? (_steps[count - 1].Score, _steps[count - 1].Index) : (0, -1);

    /// <summary>The hypervolume that a setting is expected to add, in bytes × points.</summary>
    public double ExpectedGain(long peakBytes, ScorePrediction score)
    {
        var floor = BestWithin(peakBytes).Score;
        var lighter = StepsUpTo(peakBytes - 1);
        var sum = 0.0;
        foreach (var deviations in Deviations)
        {
            var value = Math.Clamp(score.Mean + deviations * score.Deviation, 0, ModelFrontier.BestScore);
            if (value > floor) sum += VolumeWith(peakBytes, value, lighter) - Reached;
        }
        return sum / Quantiles;
    }

    // Of a setting that is better than any as light. Steps that it dominates add nothing any more.
    private double VolumeWith(long peakBytes, double score, int lighter)
    {
        var area = lighter < _steps.Count ? _steps[lighter].AreaBefore : Reached;
        var height = lighter > 0 ? _steps[lighter - 1].Score : ModelFrontier.ReferenceScore;
        Raise(peakBytes, score, ref area, ref height);
        for (var i = lighter; i < _steps.Count; i++) Raise(_steps[i].PeakBytes, _steps[i].Score, ref area, ref height);
        return area;
    }

    private void Raise(long peakBytes, double score, ref double area, ref double height)
    {
        if (!(score > height)) return;
        area += (_referenceBytes - peakBytes) * (score - height);
        height = score;
    }

    private int StepsUpTo(long peakBytes)
    {
        var (low, high) = (0, _steps.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_steps[middle].PeakBytes <= peakBytes) low = middle + 1;
            else high = middle;
        }
        return low;
    }

    // A measured setting that is better than any as light, or as good as those and earlier among the known; and the hypervolume of the
    // steps before it.
    private readonly record struct Step(long PeakBytes, double Score, int Index, double AreaBefore);
}
