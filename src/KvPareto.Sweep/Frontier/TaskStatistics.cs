using KvPareto.Sweep.Results;

namespace KvPareto.Sweep.Frontier;

/// <summary>Every task and part of trials that were scored on the same tasks, with intervals and, against a baseline, losses.</summary>
internal static class TaskStatistics
{
    /// <summary>The tasks and parts of each trial, in its own order. Each is resampled by itself, with the draws of the whole
    /// score.</summary>
    /// <param name="trials">Trials.</param>
    /// <param name="baselines">[trials]: index of each one's baseline, or null.</param>
    /// <param name="seed">Seed of all draws.</param>
    /// <param name="resamples">Resamples of the bootstrap.</param>
    public static IReadOnlyList<TaskEstimate>[] Of(
        IReadOnlyList<TrialResult> trials, IReadOnlyList<int?> baselines, long seed, int resamples)
    {
        TaskSeries[][] all = [.. trials.Select(trial => TaskSeries.Of(trial).ToArray())];
        var estimates = Array.ConvertAll(all, series => new TaskEstimate[series.Length]);
        var byName =
            from trial in Enumerable.Range(0, all.Length)
            from place in Enumerable.Range(0, all[trial].Length)
            let series = all[trial][place]
            group new Member(trial, place, series) by (series.Name, series.Scores?.Samples);
        foreach (var group in byName) Estimate([.. group], baselines, seed, resamples, estimates);
        return estimates;
    }

    // A part's samples are the baseline's where there are as many of them.
    private static void Estimate(Member[] members, IReadOnlyList<int?> baselines, long seed, int resamples, TaskEstimate[][] estimates)
    {
        if (members[0].Series.Scores is null)
        {
            foreach (var (trial, place, series) in members) estimates[trial][place] = new(series.Name, new(series.Mean, null, null), null);
            return;
        }
        var scores = Array.ConvertAll(members, member => member.Series.Scores!);
        var bootstrap = PairedBootstrap.Over([.. scores.Select(score => new[] { score })], seed, resamples);
        var pointOf = members.Select((member, point) => (member.Trial, point)).ToDictionary(pair => pair.Trial, pair => pair.point);
        Parallel.For(0, members.Length, point =>
        {
            var (trial, place, series) = members[point];
            LossEstimate? loss = null;
            if (baselines[trial] is { } baseline && pointOf.TryGetValue(baseline, out var reference))
                loss = PairedComparison.Loss(
                    [scores[reference]], [scores[point]], bootstrap.LossInterval(reference, point), seed);
            var error = PairedComparison.StandardError([scores[point].PerSample]);
            estimates[trial][place] = new(series.Name, new(series.Mean, error, bootstrap.Interval(point)), loss);
        });
    }

    private sealed record Member(int Trial, int Place, TaskSeries Series);
}
