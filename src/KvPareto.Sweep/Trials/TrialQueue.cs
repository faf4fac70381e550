using KvPareto.Sweep.Journaling;

namespace KvPareto.Sweep.Trials;

/// <summary>
/// Hands out the trials that have no result, each under its lease, and goes round until none is missing: what other workers hold is
/// waited for, and taken over where its holder dies.
/// </summary>
internal sealed class TrialQueue
{
    private readonly RunFolder _folder;
    private readonly SweepPlan _plan;
    private readonly bool _retryFailed;
    private readonly TimeSpan _look;
    private readonly ProgressReport _report;
    private readonly Dictionary<string, int> _failedBefore;
    private readonly HashSet<PlannedTrial> _done;
    private JournalState _state;

    public TrialQueue(RunFolder folder, SweepPlan plan, SampleReuse reuse, SweepOptions options, IProgress<SweepEvent>? observer)
    {
        (_folder, _plan, _retryFailed, _look) = (folder, plan, options.RetryFailed, options.Leases.Look);
        _state = folder.Read();
        _failedBefore = plan.RunOrder.ToDictionary(trial => trial.Spec.Id, trial => _state.Failures(trial.Spec.Id));
        _done = [.. plan.RunOrder.Where(HasResult)];
        _report = new(options, plan, _done.Contains, reuse, observer);
    }

    /// <summary>Counts what is done.</summary>
    public ProgressReport Report => _report;

    /// <summary>Trials with their logs, which are closed when the next one is asked for. One that ends without a result comes
    /// again.</summary>
    public IEnumerable<(PlannedTrial Trial, SampleLog Log)> Take(CancellationToken cancellation)
    {
        var wasWaiting = false;
        while (Missing() is { Length: > 0 } missing)
        {
            var took = false;
            foreach (var trial in missing)
            {
                cancellation.ThrowIfCancellationRequested();
                using var log = _folder.TryClaim(trial.Spec.Id);
                if (log is null) continue;
                // Between the reading and the claim another worker may have done it.
                if (_folder.IsShared)
                {
                    _state = _folder.Read();
                    if (HasResult(trial))
                    {
                        DoneElsewhere(trial);
                        continue;
                    }
                }
                took = true;
                yield return (trial, log);
            }
            _state = _folder.Read();
            if (took || Missing() is not { Length: > 0 } held) continue;
            if (!wasWaiting) _report.Waiting(held.Length, _folder.HolderOf(held[0].Spec.Id));
            wasWaiting = true;
            cancellation.WaitHandle.WaitOne(_look);
        }
    }

    /// <summary>A trial has its result in the journal.</summary>
    public void Ended(PlannedTrial trial, TrialResult result)
    {
        _done.Add(trial);
        _report.Ended(trial, result);
    }

    private void DoneElsewhere(PlannedTrial trial)
    {
        _done.Add(trial);
        _report.DoneElsewhere(trial);
    }

    private PlannedTrial[] Missing()
    {
        foreach (var trial in _plan.RunOrder.Where(trial => !_done.Contains(trial) && HasResult(trial)))
            DoneElsewhere(trial);
        return [.. _plan.RunOrder.Where(trial => !_done.Contains(trial))];
    }

    // A failure counts once more when it is of this time: each trial is tried again once.
    private bool HasResult(PlannedTrial trial) => _state.Result(trial.Spec.Id) is { } result
        && (result.Status == TrialStatus.Ok || !_retryFailed || _state.Failures(trial.Spec.Id) > _failedBefore[trial.Spec.Id]);
}
