using KvPareto.Sweep.Journaling;
using KvPareto.Tasks;

namespace KvPareto.Sweep.Trials;

/// <summary>
/// Finds a worker that has no trial something to do of those that others have: a range of one's samples. It asks for one by taking it,
/// and has it to measure once the trial's holder has opened the trial.
/// </summary>
/// <param name="folder">Run folder.</param>
/// <param name="host">This worker's device.</param>
/// <param name="runner">Knows what fits and what is loaded.</param>
internal sealed class TrialHelp(RunFolder folder, RunHost host, TrialRunner runner) : IDisposable
{
    // Loading has to be worth it: with less left the holder would wait for what it could have done itself meanwhile.
    private const double LeastLoads = 2;

    private readonly Dictionary<PlannedTrial, IReadOnlyList<IReadOnlyList<(SweepTask, TaskSample)>>> _ranges = [];
    private readonly HashSet<PlannedTrial> _refused = [];
    private (PlannedTrial Trial, SharedRange Range)? _asked;

    /// <summary>What to help with now; null where nothing is, or is not yet.</summary>
    /// <param name="held">What is missing and others have.</param>
    /// <param name="state">What the journals say.</param>
    public TrialClaim? TryTake(IReadOnlyList<TrialWork> held, JournalState state)
    {
        var open = held.Where(work => CanHelp(work, state))
            .Select(work => (Work: work, Shared: folder.Share(work.Trial.Spec.Id)))
            // Those that can be begun with at once come first, then those that need no loading.
            .OrderByDescending(one => one.Shared.IsOpen)
            .ThenByDescending(one => _asked?.Trial == one.Work.Trial)
            .ThenBy(one => runner.TimeToLoad(one.Work.Trial));
        foreach (var (work, shared) in open)
        {
            if (TryAsk(work, shared) is not { } range) continue;
            // To be looked at once the range is this worker's: who holds the trial looks for ranges once it has opened it.
            if (!shared.IsOpen) return null;
            _asked = null;
            return new(work.Within(range.Samples), shared.OpenLog(range), shared, IsHelp: true);
        }
        Withdraw();
        return null;
    }

    /// <summary>A trial cannot be helped with: what fails here may not where it is held.</summary>
    public void Refuse(PlannedTrial trial) => _refused.Add(trial);

    /// <summary>Asks for nothing any more.</summary>
    public void Withdraw()
    {
        _asked?.Range.Lease.Dispose();
        _asked = null;
    }

    /// <inheritdoc/>
    public void Dispose() => Withdraw();

    private bool CanHelp(TrialWork work, JournalState state) => work.Dropped is null && !_refused.Contains(work.Trial)
        && state.LastHostOf(work.Trial.Spec.Id)?.IsLike(host) == true && runner.Refusal(work.Trial) is null;

    private SharedRange? TryAsk(TrialWork work, SharedTrial shared)
    {
        var samples = shared.Samples();
        var missing = work.Missing((task, sample) => samples.GetValueOrDefault((task, sample))).ToList();
        if (missing.Count == 0 || !IsWorthwhile(work.Trial, samples.Values, missing.Count)) return null;
        if (_asked is { } asked && asked.Trial == work.Trial) return asked.Range;
        if (!_ranges.TryGetValue(work.Trial, out var ranges)) _ranges[work.Trial] = ranges = SampleRanges.Of(work.Trial);
        // The holder is at the first itself, as long as it has not opened the trial.
        if (shared.TryTake(ranges, missing, after: shared.IsOpen ? 0 : 1) is not { } range) return null;
        Withdraw();
        _asked = (work.Trial, range);
        return range;
    }

    private bool IsWorthwhile(PlannedTrial trial, IEnumerable<SampleRecord> measured, int missing)
    {
        var each = measured.Select(record => record.Seconds).DefaultIfEmpty(double.PositiveInfinity).Average();
        return missing * each >= LeastLoads * runner.TimeToLoad(trial).TotalSeconds;
    }
}
