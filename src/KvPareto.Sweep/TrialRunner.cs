using KvPareto.Engine;
using KvPareto.Engine.Model;
using KvPareto.Engine.Seam;
using KvPareto.Sweep.Journaling;
using KvPareto.Sweep.Trials;
using KvPareto.Tasks;

namespace KvPareto.Sweep;

/// <summary>
/// Runs one trial after the other: answers and scores the samples that its log does not have yet, and sums up. Keeps the loaded
/// model while the next trial needs the same one. The only place where a trial's failure is caught.
/// </summary>
/// <param name="engine">Engine.</param>
/// <param name="address">Names what is measured.</param>
/// <param name="repeats">Generations of each sample; its times are their medians.</param>
/// <param name="warmUp">First samples of a process and trial whose times do not count.</param>
/// <param name="deadline">When no further sample is begun.</param>
internal sealed class TrialRunner(
    ITrialEngine engine, SampleAddress address, int repeats, int warmUp, Deadline deadline) : IDisposable
{
    /// <summary>Tokens at either end of a prompt that its sample's line shows.</summary>
    private const int ShownTokens = 32;

    private readonly Dictionary<string, int> _measured = [];
    private (string Digest, WeightSpec Weights, (int? Context, bool IsProbe)? Compared)? _loadedAs;
    private ITrialModel? _loaded;

    /// <summary>Runs a trial, or a part of it, from where its log stands.</summary>
    /// <param name="work">What is asked for.</param>
    /// <param name="log">Its samples so far; new ones are appended.</param>
    /// <param name="onSample">Called after each new sample.</param>
    /// <param name="cancellation">Checked between tokens.</param>
    /// <returns>The trial's result; null where it has none yet, as only a part was asked for or the time is over.</returns>
    public TrialResult? Run(TrialWork work, SampleLog log, Action<TaskSample, SampleRecord> onSample, CancellationToken cancellation)
    {
        var trial = work.Trial;
        var predicted = engine.Predict(trial);
        if (predicted > engine.Room)
            return TrialSummary.Failed(trial, log, TrialFailure.TooLarge(predicted.Value, engine.Room.Value)) with
            { PredictedPeakBytes = predicted };
        try
        {
            foreach (var (task, sample) in (work.Part ?? InOrder(trial)).Where(next => log.Find(next.Task.Name, next.Sample.Id) is null))
            {
                cancellation.ThrowIfCancellationRequested();
                if (deadline.IsOver) return null;
                var record = Measure(trial, task, sample, IsWarmUp(trial), cancellation);
                log.Append(record);
                onSample(sample, record);
            }
            if (work.Part is not null) return null;
            return TrialSummary.Finished(trial, log) with { PredictedPeakBytes = predicted };
        }
        catch (Exception e) when (TrialFailure.Reason(e) is { } reason)
        {
            return TrialSummary.Failed(trial, log, reason) with { PredictedPeakBytes = predicted };
        }
    }

    /// <inheritdoc/>
    public void Dispose() => Unload();

    // A trial that is gone on with has had its first samples.
    private bool IsWarmUp(PlannedTrial trial)
    {
        var measured = _measured.GetValueOrDefault(trial.Spec.Id);
        _measured[trial.Spec.Id] = measured + 1;
        return measured < warmUp;
    }

    private SampleRecord Measure(PlannedTrial trial, SweepTask task, TaskSample sample, bool isWarmUp, CancellationToken cancellation)
    {
        var model = Model(trial, cancellation);
        var answers = new Answer[repeats];
        for (var i = 0; i < repeats; i++) answers[i] = model.Measure(trial.Spec.Setting, sample, cancellation);
        var first = answers[0];
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
            WarmUp = isWarmUp,
            TtftMs = Milliseconds(answers.Select(answer => answer.TimeToFirstToken)) ?? 0,
            TpotMs = Milliseconds(answers.Select(answer => answer.TimePerToken).OfType<TimeSpan>()),
        };
        return record.ScoredBy(task, sample);
    }

    // A repeat takes the samples in another order, each in one of its own: what one leaves behind for the next would show.
    private static IEnumerable<(SweepTask Task, TaskSample Sample)> InOrder(PlannedTrial trial)
    {
        var samples =
            from task in trial.Model.Tasks
            from sample in task.Samples
            select (task.Task, sample);
        if (trial.Spec.Repeat == 0) return samples;
        (SweepTask, TaskSample)[] shuffled = [.. samples];
        var random = new SplitMix64(SplitMix64.Mix((ulong)trial.Spec.Repeat));
        for (var i = shuffled.Length - 1; i > 0; i--)
        {
            var other = random.Below(i + 1);
            (shuffled[i], shuffled[other]) = (shuffled[other], shuffled[i]);
        }
        return shuffled;
    }

    private ITrialModel Model(PlannedTrial trial, CancellationToken cancellation)
    {
        // What samples are compared with is got ready before the model is loaded.
        var compares = trial.Model.Tasks.Any(task => task.Samples.Any(sample => sample.Kind == SampleKind.Compare));
        var wanted = (
            trial.Model.Digest, trial.Spec.Setting.Weights, compares ? (trial.Model.Context, trial.Model.IsProbe) : ((int?, bool)?)null);
        if (_loaded is not null && _loadedAs == wanted) return _loaded;
        Unload();
        (_loaded, _loadedAs) = (engine.Load(trial.Model, trial.Spec.Setting.Weights, cancellation), wanted);
        return _loaded;
    }

    private void Unload()
    {
        _loaded?.Dispose();
        (_loaded, _loadedAs) = (null, null);
    }

    private static double? Milliseconds(IEnumerable<TimeSpan> times) =>
        TrialSummary.Median(times.Select(time => time.TotalMilliseconds)) is { } median ? Math.Round(median, 4) : null;
}
