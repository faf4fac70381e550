using KvPareto.Sweep.Journaling;

namespace KvPareto.Sweep.Trials;

/// <summary>Counts what is done of a sweep and tells an observer.</summary>
internal sealed class ProgressReport
{
    private readonly int _trials;
    private readonly long _samples;
    private readonly IProgress<SweepEvent>? _observer;
    private long _done;
    private int _trialDone;

    public ProgressReport(SweepPlan plan, Func<PlannedTrial, bool> isDone, IProgress<SweepEvent>? observer)
    {
        (_trials, _samples, _observer) = (plan.RunOrder.Count, plan.SampleCount, observer);
        PlannedTrial[] done = [.. plan.RunOrder.Where(isDone)];
        _done = done.Sum(trial => (long)trial.Model.SampleCount);
        observer?.Report(new SweepPlanned(_trials, done.Length, _samples, _done));
    }

    public void Begun(PlannedTrial trial, SampleLog log)
    {
        _trialDone = log.Count;
        _done += _trialDone;
        var spec = trial.Spec;
        _observer?.Report(new TrialBegun(trial.Index, _trials, spec.Model, spec.Setting.Name, trial.Model.SampleCount, _trialDone));
    }

    public void Measured(PlannedTrial trial, SampleRecord record)
    {
        _trialDone++;
        _done++;
        _observer?.Report(new SampleMeasured(trial.Index, record.Task, record.Score, _trialDone, trial.Model.SampleCount, _done, _samples));
    }

    public void Ended(PlannedTrial trial, TrialResult result)
    {
        _done += trial.Model.SampleCount - _trialDone;
        _observer?.Report(new TrialEnded(trial.Index, _trials, result, _done, _samples));
    }

    public void Left(PlannedTrial trial)
    {
        _done += trial.Model.SampleCount;
        _observer?.Report(new TrialLeft(trial.Index, _done, _samples));
    }
}
