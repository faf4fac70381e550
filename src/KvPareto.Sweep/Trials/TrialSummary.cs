using System.Collections.ObjectModel;
using KvPareto.Engine.Seam;
using KvPareto.Sweep.Journaling;

namespace KvPareto.Sweep.Trials;

/// <summary>Samples to a trial's result. Depends on nothing but the samples, so an interrupted trial ends with the same result.</summary>
internal static class TrialSummary
{
    /// <summary>The result of a trial of which every sample was measured.</summary>
    public static TrialResult Finished(PlannedTrial trial, SampleLog log)
    {
        var (scores, records) = (new List<TaskScore>(), new List<SampleRecord>());
        foreach (var (task, samples) in trial.Model.Tasks)
        {
            SampleRecord[] measured = [.. samples.Select(sample => log.Find(task.Name, sample.Id)
                ?? throw new InvalidOperationException($"sample '{sample.Id}' of task '{task.Name}' was not measured"))];
            double[] perSample = [.. measured.Select(record => record.Score)];
            scores.Add(new(task.Name, task.Task.DigestOf(trial.Spec.ModelDigest), perSample.Length, 100 * perSample.Average(), perSample) { Parts = Parts(measured) });
            records.AddRange(measured);
        }
        return Result(trial, records, TrialStatus.Ok) with { Scores = scores, Score = scores.Average(score => score.Mean) };
    }

    /// <summary>The result of a trial that could not be done; its cost is that of the samples measured before.</summary>
    public static TrialResult Failed(PlannedTrial trial, SampleLog log, string reason)
    {
        var measured =
            from task in trial.Model.Tasks
            from sample in task.Samples
            select log.Find(task.Task.Name, sample.Id);
        return Result(trial, [.. measured.OfType<SampleRecord>()], TrialStatus.Failed) with { Failure = reason };
    }

    private static PartScore[]? Parts(IEnumerable<SampleRecord> records)
    {
        var parts =
            from record in records
            from part in record.Parts ?? ReadOnlyDictionary<string, double>.Empty
            group part.Value by part.Key into scores
            select new PartScore(scores.Key, scores.Count(), 100 * scores.Average());
        PartScore[] all = [.. parts];
        return all.Length > 0 ? all : null;
    }

    private static TrialResult Result(PlannedTrial trial, List<SampleRecord> records, string status)
    {
        var peaks = records.Aggregate(default(MemoryPeaks), (highest, record) => MemoryPeaks.Max(highest, record.Peaks));
        var timed = records.Where(record => !record.WarmUp).ToArray();
        return new()
        {
            TrialId = trial.Spec.Id,
            Model = trial.Spec.Model,
            ModelDigest = trial.Spec.ModelDigest,
            Setting = trial.Spec.Setting.Name,
            Status = status,
            Scores = [],
            Peaks = peaks,
            WeightBytes = peaks.Inference.Weights,
            KvCacheBytes = peaks.Inference.KvCache,
            TtftMs = Median(timed.Select(record => record.TtftMs)),
            TpotMs = Median(timed.Select(record => record.TpotMs).OfType<double>()),
            Samples = records.Count,
        };
    }

    /// <summary>The middle value, or the mean of the two; null of nothing.</summary>
    internal static double? Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        var middle = sorted.Length / 2;
        return sorted.Length == 0 ? null : sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
