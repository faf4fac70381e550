using KvPareto.Sweep.Journaling;
using KvPareto.Sweep.Leases;
using KvPareto.Tasks;

namespace KvPareto.Sweep.Trials;

/// <summary>Does what a worker has taken: a trial, alone or with others that help, or a range of one that another holds.</summary>
/// <param name="runner">Measures.</param>
/// <param name="reuse">What was measured before.</param>
/// <param name="journal">This worker's.</param>
/// <param name="report">Counts what is done.</param>
/// <param name="deadline">When no further sample is begun.</param>
/// <param name="look">How often it is looked whether others are done.</param>
/// <param name="cancellation">Ends it between two tokens.</param>
internal sealed class TrialWorker(
    TrialRunner runner, SampleReuse reuse, Journal journal, ProgressReport report, Deadline deadline, TimeSpan look,
    CancellationToken cancellation)
{
    private PlannedTrial? _helped;

    /// <summary>Works on a trial that this worker holds.</summary>
    /// <returns>Its result; null where it has none yet, as only a part was asked for or the time is over.</returns>
    /// <exception cref="LeaseLostException">Another has the trial, or what was to be measured of it, by now.</exception>
    public TrialResult? Do(TrialClaim claim)
    {
        var (work, log, shared) = (claim.Work, claim.Log, claim.Shared);
        _helped = null;
        journal.TrialStarted(work.Trial.Spec, log.Count);
        var isAlone = !shared.IsAsked;
        if (isAlone) reuse.Fill(work.Trial, work.Trial.InOrder(), log);
        report.Begun(work.Trial, log);
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

    /// <summary>The result of a trial that a search does without.</summary>
    /// <param name="claim">The trial, held.</param>
    /// <param name="reason">Why.</param>
    /// <param name="search">The search and the plan that it was decided under.</param>
    public static TrialResult Drop(TrialClaim claim, string reason, string search)
    {
        claim.Shared.Gather(claim.Log, claim.Work.Trial);
        return TrialSummary.Dropped(claim.Work.Trial, claim.Log, reason, search);
    }

    /// <summary>Measures the samples of a range.</summary>
    /// <returns>Why they could not be: the trial is its holder's to fail.</returns>
    /// <exception cref="LeaseLostException">Another has the range by now.</exception>
    public string? Help(TrialClaim claim)
    {
        var (work, log, shared) = (claim.Work, claim.Log, claim.Shared);
        if (_helped != work.Trial) journal.TrialStarted(work.Trial.Spec, log.Count);
        report.Begun(work.Trial, log, isKnown: _helped == work.Trial);
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
                report.Begun(work.Trial, log, isKnown: true);
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

    private Action<TaskSample, SampleRecord> Count(TrialWork work) => (sample, record) => report.Measured(work.Trial, sample, record);
}
