using System.Collections.ObjectModel;
using KvPareto.Engine.Seam;
using KvPareto.Sweep.Journaling;
using KvPareto.Sweep.Results;

namespace KvPareto.Sweep.Trials;

/// <summary>Samples to a trial's result. Depends on nothing but the samples, so an interrupted trial ends with the same result.</summary>
internal static class TrialSummary
{
    private const double Rounding = 1e-9;

    /// <summary>The result of a trial of which every sample was measured.</summary>
    public static TrialResult Finished(PlannedTrial trial, SampleLog log)
    {
        var (scores, records) = (new List<TaskScore>(), new List<SampleRecord>());
        foreach (var (task, samples) in trial.Model.Tasks)
        {
            SampleRecord[] measured = [.. samples.Select(sample => log.Find(task.Name, sample.Id)
                ?? throw new InvalidOperationException($"sample '{sample.Id}' of task '{task.Name}' was not measured"))];
            records.AddRange(measured);
            if (!task.Task.IsScored) continue;
            double[] perSample = [.. measured.Select(record => record.Score)];
            scores.Add(new(
                task.Name, task.DigestOf(trial.Model.OriginalDigest), perSample.Length, 100 * perSample.Average(),
                    perSample)
            { Parts = Parts(measured) });
        }
        var unscored = records.Count - scores.Sum(score => score.Samples);
        return Result(trial, records, TrialStatus.Ok) with
        {
            UnscoredSamples = unscored > 0 ? unscored : null,
            Scores = scores,
            Score = scores.Count > 0 ? scores.Average(score => score.Mean) : null,
        };
    }

    /// <summary>The result of a trial that could not be done; its cost is that of the samples measured before.</summary>
    public static TrialResult Failed(PlannedTrial trial, SampleLog log, string reason) =>
        Partial(trial, log, TrialStatus.Failed) with { Failure = reason };

    /// <summary>The result of a trial that a search does without; its cost is that of the samples measured before.</summary>
    /// <param name="trial">The trial.</param>
    /// <param name="log">What was measured of it.</param>
    /// <param name="reason">Why.</param>
    /// <param name="search">The search and the plan that it was decided under.</param>
    public static TrialResult Dropped(PlannedTrial trial, SampleLog log, string reason, string search) =>
        Partial(trial, log, TrialStatus.Dropped) with { Failure = reason, DroppedBy = search };

    private static TrialResult Partial(PlannedTrial trial, SampleLog log, string status)
    {
        var measured =
            from task in trial.Model.Tasks
            from sample in task.Samples
            select log.Find(task.Task.Name, sample.Id);
        return Result(trial, [.. measured.OfType<SampleRecord>()], status);
    }

    /// <summary>The samples, in whatever order, give these figures.</summary>
    public static bool Agrees(TrialResult result, IReadOnlyCollection<SampleRecord> records)
    {
        var (ttft, tpot) = (Times(records, record => record.TimedTtftMs), Times(records, record => record.TimedTpotMs));
        return IsHighest(result.Peaks.Load, records, peaks => peaks.Load)
            && IsHighest(result.Peaks.Prefill, records, peaks => peaks.Prefill)
            && IsHighest(result.Peaks.Decode, records, peaks => peaks.Decode)
            && IsNear(result.TtftMs, SampleStatistics.Median(ttft)) && IsNear(result.TpotMs, SampleStatistics.Median(tpot))
            && Agrees(result.TtftSpread, ttft) && Agrees(result.TpotSpread, tpot)
            && (result.Status != TrialStatus.Ok || result.Scores.All(score => Agrees(score, records)));
    }

    private static bool Agrees(TimeSpread? stated, double[] times) => stated is null || (Spread(times) is { } spread
        && IsNear(stated.MinMs, spread.MinMs) && IsNear(stated.MaxMs, spread.MaxMs) && IsNear(stated.DeviationMs, spread.DeviationMs));

    private static bool Agrees(TaskScore score, IReadOnlyCollection<SampleRecord> records)
    {
        SampleRecord[] own = [.. records.Where(record => record.Task == score.Task)];
        var parts = (Parts(own) ?? []).OrderBy(part => part.Name, StringComparer.Ordinal);
        var stated = (score.Parts ?? []).OrderBy(part => part.Name, StringComparer.Ordinal);
        return own.Select(record => record.Score).Order().SequenceEqual(score.PerSample.Order())
            && parts.Select(part => (part.Name, part.Samples)).SequenceEqual(stated.Select(part => (part.Name, part.Samples)))
            && parts.Zip(stated).All(pair => IsNear(pair.First.Mean, pair.Second.Mean)
                && pair.Second.PerSample?.Order().SequenceEqual(pair.First.PerSample!.Order()) != false);
    }

    private static bool IsHighest(MemoryUse peak, IReadOnlyCollection<SampleRecord> records, Func<MemoryPeaks, MemoryUse> phase)
    {
        var highest = records.Select(record => phase(record.Peaks).Total).DefaultIfEmpty().Max();
        return peak.Total == highest && (highest == 0 || records.Any(record => phase(record.Peaks) == peak));
    }

    private static bool IsNear(double? a, double? b) =>
        a is { } left && b is { } right ? Math.Abs(left - right) <= Rounding * Math.Max(1, Math.Abs(left)) : a is null && b is null;

    private static PartScore[]? Parts(IEnumerable<SampleRecord> records)
    {
        var parts =
            from record in records
            from part in record.Parts ?? ReadOnlyDictionary<string, double>.Empty
            group part.Value by part.Key into scores
            select new PartScore(scores.Key, scores.Count(), 100 * scores.Average()) { PerSample = [.. scores] };
        PartScore[] all = [.. parts];
        return all.Length > 0 ? all : null;
    }

    private static TrialResult Result(PlannedTrial trial, List<SampleRecord> records, string status)
    {
        var peaks = records.Aggregate(default(MemoryPeaks), (highest, record) => MemoryPeaks.Max(highest, record.Peaks));
        return Timed(records, new()
        {
            TrialId = trial.Spec.Id,
            Model = trial.Spec.Model,
            ModelDigest = trial.Spec.ModelDigest,
            OriginalDigest = trial.Model.Variant is null ? null : trial.Model.OriginalDigest,
            WeightSource = trial.Model.Variant?.Source,
            Setting = trial.Spec.Setting.Name,
            Status = status,
            Scores = [],
            Peaks = peaks,
            WeightBytes = peaks.Inference.Weights,
            KvCacheBytes = peaks.Inference.KvCache,
            Context = trial.Spec.Context,
            Repeat = trial.Spec.Repeat,
            Probe = trial.Spec.IsProbe ? true : null,
            Samples = records.Count,
        });
    }

    /// <summary>A result with the times of its samples.</summary>
    public static TrialResult Timed(IReadOnlyCollection<SampleRecord> records, TrialResult result)
    {
        var (ttft, tpot) = (Times(records, record => record.TimedTtftMs), Times(records, record => record.TimedTpotMs));
        return result with
        {
            TtftMs = SampleStatistics.Median(ttft),
            TpotMs = SampleStatistics.Median(tpot),
            TtftSpread = Spread(ttft),
            TpotSpread = Spread(tpot),
        };
    }

    private static double[] Times(IEnumerable<SampleRecord> records, Func<SampleRecord, double?> time) =>
        [.. records.Select(time).OfType<double>().Order()];

    private static TimeSpread? Spread(double[] times) =>
        times.Length == 0 ? null : new(times[0], times[^1]) { DeviationMs = SampleStatistics.Deviation(times) };
}
