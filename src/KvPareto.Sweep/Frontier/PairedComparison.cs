using KvPareto.Engine;
using KvPareto.Sweep.Results;

namespace KvPareto.Sweep.Frontier;

/// <summary>Two trials' scores on the same samples, task by task: standard errors and the test of their difference.</summary>
internal static class PairedComparison
{
    /// <summary>Standard error in points of a mean over tasks of their means over samples; null where a task has one sample.</summary>
    /// <param name="tasks">[tasks][samples], 0 to 1.</param>
    public static double? StandardError(IReadOnlyList<IReadOnlyList<double>> tasks)
    {
        var variance = 0.0;
        foreach (var scores in tasks)
        {
            if (scores.Count < 2) return null;
            var mean = scores.Average();
            variance += scores.Sum(score => (score - mean) * (score - mean)) / (scores.Count - 1) / scores.Count;
        }
        return 100 * Math.Sqrt(variance) / tasks.Count;
    }

    /// <summary>How far a trial lies below the baseline.</summary>
    /// <param name="baseline">[tasks], the same tasks and samples as in <paramref name="trial"/>.</param>
    /// <param name="trial">[tasks].</param>
    /// <param name="interval">By the paired bootstrap.</param>
    /// <param name="seed">Seed of the draws.</param>
    public static LossEstimate Loss(IReadOnlyList<TaskScore> baseline, IReadOnlyList<TaskScore> trial, ScoreInterval interval, long seed)
    {
        double[][] differences = [.. baseline.Zip(trial, Differences)];
        double[] weighted = [.. differences.SelectMany(task => task.Select(difference => difference / task.Length / differences.Length))];
        var stream = SplitMix64.Mix((ulong)seed ^ SplitMix64.Hash("signs\n" + string.Join('\n', trial.Select(task => task.Task))));
        return new(
            baseline.Average(task => task.Mean) - trial.Average(task => task.Mean), StandardError(differences), interval,
            SignFlipTest.P(weighted, stream));
    }

    /// <summary>
    /// p values that hold for all of a family at once: the chance that any of those below a level is a chance find is at most that level
    /// (Holm, "A Simple Sequentially Rejective Multiple Test Procedure", 1979).
    /// </summary>
    public static double[] Holm(IReadOnlyList<double> values)
    {
        var adjusted = new double[values.Count];
        var highest = 0.0;
        foreach (var (rank, index) in Enumerable.Range(0, adjusted.Length).OrderBy(index => values[index]).Index())
            adjusted[index] = highest = Math.Max(highest, Math.Min(1, (adjusted.Length - rank) * values[index]));
        return adjusted;
    }

    private static double[] Differences(TaskScore baseline, TaskScore trial) =>
        [.. baseline.PerSample.Zip(trial.PerSample, (before, after) => before - after)];
}
