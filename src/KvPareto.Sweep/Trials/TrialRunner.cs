using System.Diagnostics;
using KvPareto.Engine.Model;
using KvPareto.Engine.Seam;
using KvPareto.Sweep.Journaling;
using KvPareto.Sweep.Results;
using KvPareto.Tasks;

namespace KvPareto.Sweep.Trials;

/// <summary>
/// Runs one trial after the other: answers and scores the samples that its log does not have yet, and sums up. Where samples share
/// work, <see cref="TimedSamples"/> come first. Keeps the loaded model while the next trial needs the same one. The only place where a
/// trial's failure is caught.
/// </summary>
/// <param name="engine">Engine.</param>
/// <param name="address">Names what is measured.</param>
/// <param name="repeats">Generations of each sample; its times are their medians.</param>
/// <param name="warmUp">First samples of a process and trial whose times do not count.</param>
/// <param name="sharing">What samples share, as far as the engine can.</param>
/// <param name="deadline">When no further sample is begun.</param>
internal sealed class TrialRunner(
    ITrialEngine engine, SampleAddress address, int repeats, int warmUp, WorkSharing sharing, Deadline deadline) : IDisposable
{
    /// <summary>Tokens at either end of a prompt that its sample's line shows.</summary>
    private const int ShownTokens = 32;

    private readonly Dictionary<string, int> _measured = [];
    private readonly Dictionary<string, long?> _predicted = []; // by trial
    private (string Digest, WeightSpec Weights, (int? Context, bool IsProbe)? Compared)? _loadedAs;
    private ITrialModel? _loaded;
    private TimeSpan _loadTime;

    /// <summary>Why a trial is not tried, as it cannot fit; null where it may.</summary>
    public string? Refusal(PlannedTrial trial) =>
        Predicted(trial) is { } predicted && predicted > engine.Room ? TrialFailure.TooLarge(predicted, engine.Room.Value) : null;

    /// <summary>Measures a trial, or a part of it, from where its log stands.</summary>
    /// <param name="work">What is asked for.</param>
    /// <param name="log">Its samples so far; new ones are appended.</param>
    /// <param name="goesOn">Asked before each sample whether it is to be measured.</param>
    /// <param name="onSample">Called after each new sample.</param>
    /// <param name="cancellation">Checked between tokens.</param>
    /// <returns>Why the trial failed; null where it did not, whether all was measured or not.</returns>
    public string? Measure(
        TrialWork work, SampleLog log, Func<bool> goesOn, Action<TaskSample, SampleRecord> onSample, CancellationToken cancellation)
    {
        var isOver = false;
        try
        {
            var timed = sharing.IsAny ? TimedSamples.Of(work.Trial, warmUp, sharing) : null;
            var missing = work.Missing(log.Find).ToLookup(next => timed?.Contains((next.Task.Name, next.Sample.Id)) ?? true);
            var others = missing[false].ToLookup(next => sharing.IsTogether(next.Sample));
            foreach (var (next, isTimed) in missing[true].Select(next => (next, true)).Concat(others[false].Select(next => (next, false))))
            {
                if (!GoesOn()) return null;
                Keep(next.Sample, Measure(work.Trial, next, isTimed, cancellation));
            }
            foreach (var (sample, record) in Together(work.Trial, [.. others[true]], GoesOn, cancellation)) Keep(sample, record);
            return null;
        }
        catch (Exception e) when (TrialFailure.Reason(e) is { } reason)
        {
            return reason;
        }

        bool GoesOn()
        {
            cancellation.ThrowIfCancellationRequested();
            isOver = isOver || deadline.IsOver || !goesOn();
            return !isOver;
        }

        void Keep(TaskSample sample, SampleRecord record)
        {
            log.Append(record);
            onSample(sample, record);
        }
    }

    /// <summary>The result of a trial that failed, or of which every sample is in its log.</summary>
    public TrialResult Sum(PlannedTrial trial, SampleLog log, string? failure) =>
        (failure is null ? TrialSummary.Finished(trial, log) : TrialSummary.Failed(trial, log, failure)) with
        { PredictedPeakBytes = Predicted(trial) };

    /// <summary>The time that it takes to have a trial's model loaded, as the last loading took; none where it is.</summary>
    public TimeSpan TimeToLoad(PlannedTrial trial) => _loadedAs == Loading(trial) ? TimeSpan.Zero : _loadTime;

    /// <inheritdoc/>
    public void Dispose() => Unload();

    // A worker that looks for something to help with asks again and again.
    private long? Predicted(PlannedTrial trial) => _predicted.TryGetValue(trial.Spec.Id, out var known) ? known
        : _predicted[trial.Spec.Id] = engine.Predict(trial);

    // A trial that is gone on with has had its first samples.
    private bool IsWarmUp(PlannedTrial trial)
    {
        var measured = _measured.GetValueOrDefault(trial.Spec.Id);
        _measured[trial.Spec.Id] = measured + 1;
        return measured < warmUp;
    }

    // As many together as there is room for, in the order of their ends. None is begun once it does not go on; those begun are ended.
    private IEnumerable<(TaskSample Sample, SampleRecord Record)> Together(
        PlannedTrial trial, (SweepTask Task, TaskSample Sample)[] samples, Func<bool> goesOn, CancellationToken cancellation)
    {
        if (samples.Length == 0 || !goesOn()) yield break;
        var alone = new List<(SweepTask, TaskSample Sample)>(); // for which there is no room beside what only answering together takes
        using (var batch = Model(trial, cancellation).Together(trial.Spec.Setting, [.. samples.Select(one => one.Sample)], sharing))
        {
            if (batch is null) alone.AddRange(samples);
            for (var (next, isFull) = (0, false); batch is not null;)
            {
                cancellation.ThrowIfCancellationRequested();
                while (batch.Count < sharing.BatchSize && !isFull && next < samples.Length && goesOn())
                {
                    if (batch.TryAdd(next, cancellation)) next++;
                    else if (batch.Count > 0) isFull = true;
                    else alone.Add(samples[next++]);
                }
                var ended = batch.Step();
                if (batch.Count == 0 && ended.Count == 0) break;
                isFull &= ended.Count == 0;
                foreach (var (index, answer) in ended)
                {
                    var record = Record(trial, samples[index], [answer], sharing.Prefixes);
                    yield return (samples[index].Sample, record with { BatchSize = sharing.BatchSize });
                }
            }
        }
        foreach (var one in alone.TakeWhile(_ => goesOn()))
            yield return (one.Sample, Measure(trial, one, isTimed: !sharing.Prefixes, cancellation));
    }

    private SampleRecord Measure(
        PlannedTrial trial, (SweepTask Task, TaskSample Sample) next, bool isTimed, CancellationToken cancellation)
    {
        var model = Model(trial, cancellation);
        var answers = new Answer[isTimed ? repeats : 1];
        for (var i = 0; i < answers.Length; i++) answers[i] = model.Measure(trial.Spec.Setting, next.Sample, !isTimed, cancellation);
        return Record(trial, next, answers, prefixes: !isTimed);
    }

    private SampleRecord Record(PlannedTrial trial, (SweepTask Task, TaskSample Sample) next, Answer[] answers, bool prefixes)
    {
        var (task, sample) = next;
        var (model, first) = (_loaded!, answers[0]);
        var record = new SampleRecord
        {
            Task = task.Name,
            Sample = sample.Id,
            PromptHead = model.Text(sample.PromptIds.AsSpan(0, Math.Min(ShownTokens, sample.PromptIds.Length))),
            PromptTail = sample.PromptIds.Length <= ShownTokens ? null
                : model.Text(sample.PromptIds.AsSpan(Math.Max(ShownTokens, sample.PromptIds.Length - ShownTokens)..)),
            Prediction = first.Prediction,
            Score = 0,
            PromptTokens = first.PromptTokens,
            NewTokens = first.NewTokens,
            Peaks = answers.Aggregate(default(MemoryPeaks), (highest, answer) => MemoryPeaks.Max(highest, answer.Peaks)),
            Address = address.Of(trial, task, sample),
            WarmUp = IsWarmUp(trial),
            PrefixTokens = prefixes ? first.PrefixTokens : null,
            TtftMs = Milliseconds(answers.Select(answer => answer.TimeToFirstToken)) ?? 0,
            TpotMs = Milliseconds(answers.Select(answer => answer.TimePerToken).OfType<TimeSpan>()),
        };
        return task.Scored(record, sample);
    }

    // What samples are compared with is got ready before the model is loaded.
    private static (string, WeightSpec, (int?, bool)?) Loading(PlannedTrial trial)
    {
        var compares = trial.Model.Tasks.Any(task => task.Samples.Any(sample => sample.Kind == SampleKind.Compare));
        return (trial.Model.Digest, trial.Spec.Setting.Weights, compares ? (trial.Model.Context, trial.Model.IsProbe) : null);
    }

    private ITrialModel Model(PlannedTrial trial, CancellationToken cancellation)
    {
        var wanted = Loading(trial);
        if (_loaded is not null && _loadedAs == wanted) return _loaded;
        Unload();
        var begun = Stopwatch.GetTimestamp();
        (_loaded, _loadedAs) = (engine.Load(trial.Model, trial.Spec.Setting.Weights, cancellation), wanted);
        _loadTime = Stopwatch.GetElapsedTime(begun);
        return _loaded;
    }

    private void Unload()
    {
        _loaded?.Dispose();
        (_loaded, _loadedAs) = (null, null);
    }

    private static double? Milliseconds(IEnumerable<TimeSpan> times) =>
        SampleStatistics.Median(times.Select(time => time.TotalMilliseconds)) is { } median ? Math.Round(median, 4) : null;
}
