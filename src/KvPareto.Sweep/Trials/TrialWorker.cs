using KvPareto.Sweep.Journaling;
using KvPareto.Sweep.Leases;
using KvPareto.Sweep.Results;
using KvPareto.Tasks;

namespace KvPareto.Sweep.Trials;

/// <summary>Does what a worker has taken: a trial, alone or with others that help, or a range of one that another holds.</summary>
/// <param name="journal">This worker's.</param>
/// <param name="runner">Measures.</param>
/// <param name="reuse">What was measured before.</param>
/// <param name="queue">Told what has come of trials.</param>
/// <param name="help">Told what cannot be helped with.</param>
/// <param name="search">The search and the plan that trials are dropped under; null where none are.</param>
/// <param name="deadline">When no further sample is begun.</param>
/// <param name="look">How often it is looked whether others are done.</param>
/// <param name="cancellation">Ends it between two tokens.</param>
internal sealed class TrialWorker(
    Journal journal, TrialRunner runner, SampleReuse reuse, TrialQueue queue, TrialHelp help, string? search, Deadline deadline,
    TimeSpan look, CancellationToken cancellation)
{
    private PlannedTrial? _helped;

    /// <summary>Does it, and writes to the journal what has come of it.</summary>
    public void Do(TrialClaim claim)
    {
        var trial = claim.Work.Trial;
        try
        {
            if (claim.IsHelp)
            {
                if (Help(claim) is not null) help.Refuse(trial);
                return;
            }
            if ((claim.Work.Dropped is { } reason ? Drop(claim, reason) : Run(claim)) is not { } result) return;
            journal.TrialEnded(result);
            queue.Ended(trial, result);
        }
        catch (LeaseLostException)
        {
            // This process stood still for so long that another has the trial now; the queue waits for that one.
            return;
        }
    }

    // The result of a trial that this worker holds; null where it has none yet, as only a part was asked for or the time is over.
    private TrialResult? Run(TrialClaim claim)
    {
        var (work, log, shared) = (claim.Work, claim.Log, claim.Shared);
        _helped = null;
        journal.TrialStarted(work.Trial.Spec, log.Count);
        var isAlone = !shared.IsAsked;
        if (isAlone) reuse.Fill(work.Trial, work.Trial.InOrder(), log);
        queue.Report.Begun(work.Trial, log);
        try
        {
            var failure = runner.Refusal(work.Trial);
            if (failure is null && isAlone) failure = runner.Measure(work, log, () => !shared.IsAsked, Count(work), cancellation);
            if (failure is null && work.Missing(log.Find).Any() && !deadline.IsOver) failure = Together(claim);
            if (failure is null && (work.Part is not null || work.Missing(log.Find).Any())) return null;
            shared.Gather(log, work.Trial);
            return runner.Sum(work.Trial, log, failure);
        }
        finally
        {
            // Samples are on the disk before anything is said of them, be it that they were kept.
            log.Flush();
        }
    }

    // The result of a trial that the search does without.
    private TrialResult Drop(TrialClaim claim, string reason)
    {
        claim.Shared.Gather(claim.Log, claim.Work.Trial);
        return TrialSummary.Dropped(claim.Work.Trial, claim.Log, reason, search!);
    }

    // Why the samples of a range could not be measured, or null: the trial is its holder's to fail.
    private string? Help(TrialClaim claim)
    {
        var (work, log, shared) = (claim.Work, claim.Log, claim.Shared);
        if (_helped != work.Trial) journal.TrialStarted(work.Trial.Spec, log.Count);
        queue.Report.Begun(work.Trial, log, isKnown: _helped == work.Trial);
        _helped = work.Trial;
        try
        {
            return Measure(work, log, () => shared.IsOpen);
        }
        finally
        {
            log.Flush();
        }
    }

    // From when somebody asks for a part of it.
    private string? Together(TrialClaim claim)
    {
        var (work, log, shared) = (claim.Work, claim.Log, claim.Shared);
        var ranges = SampleRanges.Of(work.Trial);
        Lease? open = null;
        try
        {
            while (!deadline.IsOver)
            {
                cancellation.ThrowIfCancellationRequested();
                open ??= shared.TryOpen();
                shared.Tell(log);
                if (!work.Missing(log.Find).Any()) return null;
                if (shared.TryTake(ranges, work.Missing(log.Find)) is not { } range)
                {
                    cancellation.WaitHandle.WaitOne(look);
                    continue;
                }
                using var lease = range.Lease;
                // What was measured of it before it was free is known now.
                shared.Tell(log);
                queue.Report.Begun(work.Trial, log, isKnown: true);
                if (Measure(work.Within(range.Samples), log, () => IsHeld(lease)) is { } failure) return failure;
            }
            return null;
        }
        finally
        {
            open?.Dispose();
        }
    }

    private static bool IsHeld(Lease lease)
    {
        lease.Confirm();
        return true;
    }

    private string? Measure(TrialWork range, SampleLog log, Func<bool> goesOn)
    {
        reuse.Fill(range.Trial, range.Part!, log);
        return runner.Measure(range, log, goesOn, Count(range), cancellation);
    }

    private Action<TaskSample, SampleRecord> Count(TrialWork work) => (sample, record) => queue.Report.Measured(work.Trial, sample, record);
}
