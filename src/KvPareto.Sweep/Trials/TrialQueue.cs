using KvPareto.Sweep.Journaling;
using KvPareto.Sweep.Results;
using KvPareto.Sweep.Running;

namespace KvPareto.Sweep.Trials;

/// <summary>
/// Hands out the trials that have no result, each under its lease, and goes round until none is missing: what other workers hold is
/// helped with where it can be, waited for, and taken over where its holder dies.
/// </summary>
internal sealed class TrialQueue
{
    private readonly RunFolder _folder;
    private readonly SweepPlan _plan;
    private readonly SearchPlan _search;
    private readonly TrialHelp _help;
    private readonly bool _retryFailed;
    private readonly TimeSpan _look;
    private readonly ProgressReport _report;
    private readonly Dictionary<string, int> _failedBefore;
    private readonly HashSet<PlannedTrial> _done;
    private readonly HashSet<PlannedTrial> _dropped;
    private JournalState _state;

    public TrialQueue(
        RunFolder folder, SweepPlan plan, SearchPlan search, TrialHelp help, SampleReuse reuse, SweepOptions options,
        IProgress<SweepEvent>? observer)
    {
        (_folder, _plan, _search, _help) = (folder, plan, search, help);
        (_retryFailed, _look) = (options.RetryFailed, options.Leases.Look);
        _state = folder.Read();
        _failedBefore = plan.RunOrder.ToDictionary(trial => trial.Spec.Id, trial => _state.Failures(trial.Spec.Id));
        _done = [.. plan.RunOrder.Where(HasResult)];
        _dropped = [.. plan.RunOrder.Where(IsDropped)];
        _report = new(options, plan, trial => _done.Contains(trial) || _dropped.Contains(trial), reuse, observer);
    }

    /// <summary>Counts what is done.</summary>
    public ProgressReport Report => _report;

    /// <summary>What is to be done of trials, with their logs, which are closed when the next one is asked for. One that ends without a
    /// result comes again.</summary>
    public IEnumerable<TrialClaim> Take(Deadline deadline, CancellationToken cancellation)
    {
        var wasWaiting = false;
        while (!deadline.IsOver && Missing() is { Count: > 0 } missing)
        {
            var took = false;
            foreach (var work in missing)
            {
                cancellation.ThrowIfCancellationRequested();
                if (deadline.IsOver) yield break;
                using var log = _folder.TryClaim(work.Trial.Spec.Id);
                if (log is null) continue;
                took = true;
                // What this worker asked for itself must not look like another's wish.
                _help.Withdraw();
                // Between the reading and the claim another worker may have done it.
                if (_folder.IsShared)
                {
                    _state = _folder.Read();
                    if (HasResult(work.Trial))
                    {
                        DoneElsewhere(work.Trial);
                        continue;
                    }
                    if (work.Dropped is not null && IsDropped(work.Trial)) continue;
                }
                if (!work.IsDone(log)) yield return new(work, log, _folder.Share(work.Trial.Spec.Id), IsHelp: false);
            }
            _state = _folder.Read();
            if (took || Missing() is not { Count: > 0 } held) continue;
            var helped = false;
            while (!deadline.IsOver && _help.TryTake(held, _state) is { } help)
            {
                using var log = help.Log;
                yield return help;
                helped = true;
            }
            if (helped)
            {
                wasWaiting = false;
                continue;
            }
            if (!wasWaiting) _report.Waiting(held.Count, _folder.HolderOf(held[0].Trial.Spec.Id));
            wasWaiting = true;
            cancellation.WaitHandle.WaitOne(_look);
        }
    }

    /// <summary>A trial has its result in the journal.</summary>
    public void Ended(PlannedTrial trial, TrialResult result)
    {
        (result.Status == TrialStatus.Dropped ? _dropped : _done).Add(trial);
        _report.Ended(trial, result);
    }

    private void DoneElsewhere(PlannedTrial trial)
    {
        _done.Add(trial);
        _report.DoneElsewhere(trial);
    }

    private IReadOnlyList<TrialWork> Missing()
    {
        foreach (var trial in _plan.RunOrder.Where(trial => !_done.Contains(trial) && HasResult(trial)))
            DoneElsewhere(trial);
        foreach (var trial in _plan.RunOrder.Where(trial => !_done.Contains(trial) && IsDropped(trial)))
            if (_dropped.Add(trial)) _report.DoneElsewhere(trial);
        return _search.Next(_state, _done.Contains);
    }

    private bool IsDropped(PlannedTrial trial) => _state.Result(trial.Spec.Id)?.Status == TrialStatus.Dropped;

    // A failure counts once more when it is of this time: each trial is tried again once.
    private bool HasResult(PlannedTrial trial) => _state.Result(trial.Spec.Id) is { } result && result.Status != TrialStatus.Dropped
        && (result.Status == TrialStatus.Ok || !_retryFailed || _state.Failures(trial.Spec.Id) > _failedBefore[trial.Spec.Id]);
}
