using KvPareto.Sweep.Journaling;

namespace KvPareto.Sweep.Trials;

/// <summary>Counts what is done of a sweep and tells an observer.</summary>
internal sealed class ProgressReport
{
    private readonly int _trials;
    private readonly long _samples;
    private readonly IProgress<SweepEvent>? _observer;
    private readonly int[] _doneOf; // by the trial's index from 1
    private long _done;

    public ProgressReport(SweepPlan plan, Func<PlannedTrial, bool> isDone, IProgress<SweepEvent>? observer)
    {
        (_trials, _samples, _observer) = (plan.RunOrder.Count, plan.SampleCount, observer);
        _doneOf = new int[_trials + 1];
        PlannedTrial[] done = [.. plan.RunOrder.Where(isDone)];
        foreach (var trial in done) Reach(trial, trial.Model.SampleCount);
        observer?.Report(new SweepPlanned(_trials, done.Length, _samples, _done));
    }

    public void Begun(PlannedTrial trial, SampleLog log)
    {
        Reach(trial, log.Count);
        var spec = trial.Spec;
        _observer?.Report(new TrialBegun(trial.Index, _trials, spec.Model, spec.Setting.Name, trial.Model.SampleCount, log.Count));
    }

    public void Measured(PlannedTrial trial, SampleRecord record)
    {
        Reach(trial, _doneOf[trial.Index] + 1);
        _observer?.Report(new SampleMeasured(
            trial.Index, record.Task, record.Score, _doneOf[trial.Index], trial.Model.SampleCount, _done, _samples));
    }

    public void Ended(PlannedTrial trial, TrialResult result)
    {
        Reach(trial, trial.Model.SampleCount);
        _observer?.Report(new TrialEnded(trial.Index, _trials, result, _done, _samples));
    }

    /// <summary>Another worker has done a trial.</summary>
    public void DoneElsewhere(PlannedTrial trial)
    {
        Reach(trial, trial.Model.SampleCount);
        _observer?.Report(new TrialLeft(trial.Index, _done, _samples));
    }

    /// <summary>Nothing is left but what other workers have; they may die.</summary>
    public void Waiting(int trials, string holder) => _observer?.Report(new SweepWaiting(trials, holder));

    private void Reach(PlannedTrial trial, int samples)
    {
        _done += samples - _doneOf[trial.Index];
        _doneOf[trial.Index] = samples;
    }
}
