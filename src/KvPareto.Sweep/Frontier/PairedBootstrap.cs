using KvPareto.Engine;
using KvPareto.Sweep.Results;

namespace KvPareto.Sweep.Frontier;

/// <summary>
/// Paired bootstrap over samples: every resample draws, with replacement and task by task, one list of sample numbers and scores
/// all points on that same list, so that what is hard for all of them cancels out of their differences (Efron and Tibshirani,
/// "An Introduction to the Bootstrap", ch. 13: percentile intervals). The draws of a task depend only on the seed, the resample's
/// number and the task itself: neither threads nor the other points and tasks of the sweep change them.
/// </summary>
internal sealed class PairedBootstrap
{
    /// <summary>Resamples behind every interval of a report.</summary>
    public const int DefaultResamples = 2000;

    /// <summary>Decimals at which scores are compared: below this lies only the rounding of sums.</summary>
    private const int ComparedDecimals = 9;

    private const double LowQuantile = 0.025;
    private const double HighQuantile = 0.975;

    private readonly double[][] _scores; // [points, resamples]

    private PairedBootstrap(double[][] scores) => _scores = scores;

    /// <summary>Resamples points that were scored on the same tasks.</summary>
    /// <param name="points">[points][tasks]; the same tasks with as many samples, at least one, in every point.</param>
    /// <param name="seed">Seed of all draws.</param>
    /// <param name="resamples">Number of resamples.</param>
    /// <param name="weights">What each task counts in the score, above 0; null for as much as any other.</param>
    public static PairedBootstrap Over(
        IReadOnlyList<IReadOnlyList<TaskScore>> points, long seed, int resamples = DefaultResamples, IReadOnlyList<double>? weights = null)
    {
        var scores = new double[points.Count][];
        for (var point = 0; point < scores.Length; point++) scores[point] = new double[resamples];
        if (points.Count == 0) return new(scores);
        var streams = points[0].Select(task => Stream(task, seed)).ToArray();
        var values = points.Select(tasks => tasks.Select(task => task.PerSample.ToArray()).ToArray()).ToArray();
        var shares = weights ?? [.. streams.Select(_ => 1.0)];
        var whole = shares.Sum();
        var longest = values[0].Max(samples => samples.Length);
        Parallel.For(0, resamples, () => new int[longest], (resample, _, drawn) =>
        {
            for (var task = 0; task < streams.Length; task++)
            {
                var random = new SplitMix64(SplitMix64.Mix(streams[task] + (ulong)resample));
                var indexes = drawn.AsSpan(0, values[0][task].Length);
                foreach (ref var index in indexes) index = random.Below(indexes.Length);
                for (var point = 0; point < values.Length; point++)
                    scores[point][resample] += shares[task] * Mean(values[point][task], indexes);
            }
            foreach (var score in scores) score[resample] = Comparable(100 * score[resample] / whole);
            return drawn;
        }, _ => { });
        return new(scores);
    }

    /// <summary>A point's score in each resample.</summary>
    public IReadOnlyList<double> Scores(int point) => _scores[point];

    /// <summary>A score as it is compared with others: sums taken in another order give the same value.</summary>
    public static double Comparable(double score) => Math.Round(score, ComparedDecimals);

    /// <summary>95 % interval of a point's score.</summary>
    public ScoreInterval Interval(int point) => Interval([.. _scores[point]]);

    /// <summary>95 % interval of how far <paramref name="point"/> lies below <paramref name="baseline"/>.</summary>
    public ScoreInterval LossInterval(int baseline, int point) => Interval([.. _scores[baseline].Zip(_scores[point], (a, b) => a - b)]);

    /// <summary>
    /// For each point the share of resamples in which another dominates it: needs no more memory, scores at least as high, and is
    /// better in one of the two.
    /// </summary>
    /// <param name="peaks">Peak bytes of all points.</param>
    /// <param name="members">The points that are compared with each other.</param>
    /// <returns>One share for each member, 0 to 1.</returns>
    public double[] DominatedShares(IReadOnlyList<long> peaks, IReadOnlyList<int> members)
    {
        var order = Enumerable.Range(0, members.Count).OrderBy(member => peaks[members[member]]).ToArray();
        var counts = new int[members.Count];
        var resamples = _scores[0].Length;
        for (var resample = 0; resample < resamples; resample++)
        {
            var bestBelow = double.NegativeInfinity;
            for (var (start, end) = (0, 0); start < order.Length; start = end)
            {
                var peak = peaks[members[order[start]]];
                var best = double.NegativeInfinity;
                for (end = start; end < order.Length && peaks[members[order[end]]] == peak; end++)
                    best = Math.Max(best, _scores[members[order[end]]][resample]);
                for (var i = start; i < end; i++)
                {
                    var score = _scores[members[order[i]]][resample];
                    if (bestBelow >= score || best > score) counts[order[i]]++;
                }
                bestBelow = Math.Max(bestBelow, best);
            }
        }
        return Array.ConvertAll(counts, count => (double)count / resamples);
    }

    private static ulong Stream(TaskScore task, long seed) =>
        SplitMix64.Mix((ulong)seed ^ SplitMix64.Hash($"{task.Task}\n{task.Digest}\n{task.PerSample.Count}"));

    private static double Mean(double[] values, ReadOnlySpan<int> indexes)
    {
        var sum = 0.0;
        foreach (var index in indexes) sum += values[index];
        return sum / indexes.Length;
    }

    private static ScoreInterval Interval(double[] values)
    {
        Array.Sort(values);
        return new(Quantile(values, LowQuantile), Quantile(values, HighQuantile));
    }

    private static double Quantile(double[] sorted, double share)
    {
        var position = share * (sorted.Length - 1);
        var below = (int)position;
        var above = Math.Min(below + 1, sorted.Length - 1);
        return sorted[below] + (position - below) * (sorted[above] - sorted[below]);
    }
}
