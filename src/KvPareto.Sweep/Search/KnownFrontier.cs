using KvPareto.Sweep.Frontier;

namespace KvPareto.Sweep.Search;

/// <summary>What has been reached by the settings measured so far, and what another would add.</summary>
/// <param name="known">Peak bytes and score of each.</param>
/// <param name="referenceBytes">Bytes at the reference point of the hypervolume, whose score is 0.</param>
internal sealed class KnownFrontier(IReadOnlyList<(long PeakBytes, double Score)> known, double referenceBytes)
{
    private const int Quantiles = 20;

    private static readonly bool[] Maximise = [false, true];
    private static readonly double[] Steps =
        [.. Enumerable.Range(0, Quantiles).Select(step => NormalDistribution.Quantile((step + 0.5) / Quantiles))];

    /// <summary>Its hypervolume, in bytes × points.</summary>
    public double Reached { get; } = Volume(known, referenceBytes);

    /// <summary>The best score with at most so many bytes, and the setting that has it; 0 and -1 where nothing is so light.</summary>
    public (double Score, int Index) BestWithin(long peakBytes)
    {
        var (best, found) = (0.0, -1);
        for (var i = 0; i < known.Count; i++)
            if (known[i].PeakBytes <= peakBytes && (found < 0 || known[i].Score > best)) (best, found) = (known[i].Score, i);
        return (best, found);
    }

    /// <summary>The hypervolume that a setting is expected to add, in bytes × points.</summary>
    public double ExpectedGain(long peakBytes, ScorePrediction score)
    {
        var floor = BestWithin(peakBytes).Score;
        return Steps.Average(step =>
        {
            var value = Math.Clamp(score.Mean + step * score.Deviation, 0, 100);
            return value <= floor ? 0 : Volume([.. known, (peakBytes, value)], referenceBytes) - Reached;
        });
    }

    private static double Volume(IReadOnlyList<(long PeakBytes, double Score)> points, double referenceBytes) => Hypervolume.Compute(
        [.. points.Select(point => new[] { point.PeakBytes, point.Score })], [referenceBytes, ModelFrontier.ReferenceScore], Maximise);
}
