using System.Diagnostics;
using KvPareto.Sweep.Journaling;
using KvPareto.Sweep.Results;
using KvPareto.Sweep.Running;
using KvPareto.Tasks;

namespace KvPareto.Sweep.Trials;

/// <summary>Counts what is done of a sweep, estimates the time left and tells an observer.</summary>
internal sealed class ProgressReport
{
    private readonly int _trials;
    private readonly long _samples;
    private readonly IProgress<SweepEvent>? _observer;
    private readonly TimeEstimate _time;
    private readonly bool _isWorker;
    private readonly int[] _doneOf; // by the trial's index from 1
    private long _done;
    private long _lastAt;

    public ProgressReport(
        SweepOptions options, SweepPlan plan, Func<PlannedTrial, bool> isDone, SampleReuse reuse, IProgress<SweepEvent>? observer)
    {
        _isWorker = options.Worker is not null;
        (_trials, _samples, _observer) = (plan.RunOrder.Count, plan.SampleCount, observer);
        _doneOf = new int[_trials + 1];
        _time = new(plan.RunOrder, plan.Repeats, plan.Sharing.IsAny);
        PlannedTrial[] done = [.. plan.RunOrder.Where(isDone)];
        foreach (var trial in done)
        {
            Reach(trial, trial.Model.SampleCount);
            _time.Ended(trial, elsewhere: false);
        }
        foreach (var trial in plan.RunOrder.Except(done)) _time.Begun(trial, (task, sample) => reuse.Has(trial, task, sample));
        observer?.Report(new SweepPlanned(_trials, done.Length, _samples, _done)
        { Name = plan.Name, Folder = options.Folder, Limit = plan.Limit });
    }

    /// <summary>A trial is begun or gone on with.</summary>
    /// <param name="trial">The trial.</param>
    /// <param name="log">What is measured of it.</param>
    /// <param name="isKnown">That it is was told before; what others have measured since then counts.</param>
    public void Begun(PlannedTrial trial, SampleLog log, bool isKnown = false)
    {
        Reach(trial, log.Count);
        _time.Begun(trial, (task, sample) => log.Find(task.Name, sample.Id) is not null, isShared: isKnown);
        _lastAt = Stopwatch.GetTimestamp();
        if (isKnown) return;
        var spec = trial.Spec;
        _observer?.Report(new TrialBegun(trial.Index, _trials, spec.Model, spec.Setting.Name, trial.Model.SampleCount, log.Count)
        { Context = spec.Context });
    }

    public void Measured(PlannedTrial trial, TaskSample sample, SampleRecord record)
    {
        Reach(trial, _doneOf[trial.Index] + 1);
        _time.Measured(trial, sample, record, Stopwatch.GetElapsedTime(_lastAt));
        _lastAt = Stopwatch.GetTimestamp();
        _observer?.Report(new SampleMeasured(
            trial.Index, record.Task, record.Score, _doneOf[trial.Index], trial.Model.SampleCount, _done, _samples)
        { Left = _time.Left(), LeftAlone = Alone() });
    }

    public void Ended(PlannedTrial trial, TrialResult result)
    {
        Reach(trial, trial.Model.SampleCount);
        _time.Ended(trial, elsewhere: false);
        var ended = result.Status switch
        {
            TrialStatus.Ok => new TrialEnded(trial.Index, _trials, result, _done, _samples),
            TrialStatus.Dropped => new TrialDropped(trial.Index, _trials, result, _done, _samples),
            _ => new TrialFailed(trial.Index, _trials, result, _done, _samples),
        };
        _observer?.Report(ended with
        { TrialSamples = trial.Model.SampleCount, Left = _time.Left(), LeftAlone = Alone() });
    }

    /// <summary>Another worker has done a trial.</summary>
    public void DoneElsewhere(PlannedTrial trial)
    {
        Reach(trial, trial.Model.SampleCount);
        _time.Ended(trial, elsewhere: true);
        _observer?.Report(new TrialLeft(trial.Index, trial.Model.SampleCount, _done, _samples)
        { Left = _time.Left(), LeftAlone = Alone() });
    }

    /// <summary>Nothing is left but what other workers have; they may die.</summary>
    public void Waiting(int trials, string holder) => _observer?.Report(new SweepWaiting(trials, holder));

    private TimeSpan? Alone() => _isWorker ? _time.LeftAlone() : null;

    private void Reach(PlannedTrial trial, int samples)
    {
        _done += samples - _doneOf[trial.Index];
        _doneOf[trial.Index] = samples;
    }
}
