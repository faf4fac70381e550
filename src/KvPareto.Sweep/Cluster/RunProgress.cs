using KvPareto.Sweep.Journaling;
using KvPareto.Sweep.Leases;
using KvPareto.Sweep.Results;
using KvPareto.Sweep.Runs;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Cluster;

/// <summary>How far a run is, from its folder alone: whoever works on it, and wherever.</summary>
public sealed record RunProgress
{
    /// <summary>Name of the sweep.</summary>
    public required string Name { get; init; }

    /// <summary>When its first process began.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>Most samples of each task; null for all.</summary>
    public required int? Limit { get; init; }

    /// <summary>The name, which says that the run is a limited one.</summary>
    public string Heading => RunHistory.HeadingOf(Name, Limit);

    /// <summary>Trials planned.</summary>
    public required int Planned { get; init; }

    /// <summary>Trials with a result.</summary>
    public required int Done { get; init; }

    /// <summary>Trials that failed, and the reason.</summary>
    public required IReadOnlyList<(string Trial, string Reason)> Failed { get; init; }

    /// <summary>Trials that the search did without.</summary>
    public required int Dropped { get; init; }

    /// <summary>Trials that somebody holds.</summary>
    public required IReadOnlyList<HeldTrial> Held { get; init; }

    /// <summary>Trials that nobody has begun, or nobody goes on with.</summary>
    public int Waiting => Planned - Done - Failed.Count - Dropped - Held.Count;

    /// <summary>Processes whose journal is open, whether they hold a trial or not.</summary>
    public required IReadOnlyList<string> Workers { get; init; }

    /// <summary>Mean time of a finished trial; null before the first.</summary>
    public required TimeSpan? TrialTime { get; init; }

    /// <summary>
    /// Time left if the trials to come take as long as those that are done, on as many workers as measure one now; null where that
    /// cannot be said.
    /// </summary>
    public TimeSpan? Left => TrialTime is { } each && Held.Count > 0
        ? each * ((Waiting + Held.Sum(trial => 1 - trial.Share)) / (Held.Count + Held.Sum(trial => trial.Helpers)))
        : null;

    /// <summary>Reads a run's folder; changes nothing in it.</summary>
    /// <exception cref="ConfigException">There is no run in it, or a file is damaged.</exception>
    public static RunProgress Read(string folder)
    {
        if (!Directory.Exists(folder))
            throw new ConfigException($"{folder}: there is no such folder; allowed: the --out folder of a sweep");
        var inForce = RunFile.TryRead(folder);
        var journals = JournalReader.Files(folder).Select(file => JournalReader.Events(file).ToList()).ToList();
        var state = JournalReader.Of(inForce, journals);
        if (state.Run is not { } run)
            throw new ConfigException($"{folder}: holds no run; allowed: the --out folder of a sweep");
        // A setting that has its result is not probed any more.
        var settled = run.Trials.Where(trial => trial.Probe is null && state.Result(trial.Id) is not null)
            .Select(trial => (trial.Model, trial.Setting, trial.Context)).ToHashSet();
        var planned = run.Trials.Where(trial => trial.Probe is null || state.Result(trial.Id) is not null
            || !settled.Contains((trial.Model, trial.Setting, trial.Context))).ToList();
        var results = planned.Select(trial => state.Result(trial.Id)).OfType<TrialResult>().ToList();
        var samples = results.Select(result => result.Samples).DefaultIfEmpty().Max();
        var leases = LeaseSight.Read(RunPaths.Leases(folder));
        return new()
        {
            Name = run.Name,
            StartedAt = state.StartedAt ?? run.StartedAt,
            Limit = run.Limit,
            Planned = planned.Count,
            Done = results.Count(result => result.Status == TrialStatus.Ok),
            Failed =
            [
                .. results.Where(result => result.Status == TrialStatus.Failed)
                    .Select(result =>
                        (RunHistory.NameOf(result.Setting, result.Context, result.Model, result.Repeat), result.Failure ?? "")),
            ],
            Dropped = results.Count(result => result.Status == TrialStatus.Dropped),
            Held =
            [
                .. from trial in run.Trials
                   where state.Result(trial.Id) is null
                   join lease in leases on trial.Id equals lease.Name
                   select new HeldTrial(
                       RunHistory.NameOf(trial.Setting, trial.Context, trial.Model, trial.Repeat), Count(folder, trial.Id), samples,
                       lease.Holder, lease.Age)
                   {
                       Helpers = leases.Where(other => RunPaths.TrialOfRange(other.Name) == trial.Id && other.Holder != lease.Holder)
                           .DistinctBy(other => other.Holder).Count(),
                   },
            ],
            Workers = [.. leases.Where(lease => lease.Name.StartsWith("journal", StringComparison.Ordinal)).Select(lease => lease.Holder)],
            TrialTime = MeanTime(journals),
        };
    }

    private static int Count(string folder, string trial) => TrialSamples.Read(folder, trial).Count;

    // A trial that one process began and another ended counts from its later beginning.
    private static TimeSpan? MeanTime(IEnumerable<IEnumerable<RecordFile.Entry<JournalEvent>>> journals)
    {
        var (begun, times) = (new Dictionary<string, DateTimeOffset>(), new List<TimeSpan>());
        foreach (var journal in journals)
        {
            begun.Clear();
            foreach (var (_, entry, _) in journal)
            {
                if (entry is { Event: JournalEvent.TrialStarted, Trial: { } started }) begun[started] = entry.At;
                else if (entry is { Event: JournalEvent.TrialFinished, Trial: { } ended } && begun.Remove(ended, out var from))
                    times.Add(entry.At > from ? entry.At - from : TimeSpan.Zero);
            }
        }
        return times.Count == 0 ? null : TimeSpan.FromTicks((long)times.Average(time => time.Ticks));
    }
}

/// <summary>A trial that a process holds.</summary>
/// <param name="Trial">Setting, context and model, and which repeat of a baseline it is.</param>
/// <param name="Samples">Samples measured so far.</param>
/// <param name="Planned">Samples of the trials that are done, which this one will have too; 0 where that is not known.</param>
/// <param name="Holder">The process, in words.</param>
/// <param name="Age">Time since it showed that it lives, by the clocks of this machine and of the folder's.</param>
public sealed record HeldTrial(string Trial, int Samples, int Planned, string Holder, TimeSpan Age)
{
    /// <summary>Other processes that measure samples of it, or have asked for some.</summary>
    public int Helpers { get; init; }

    /// <summary>No sign for longer than a lease lasts: whoever wants the trial may take it over by now.</summary>
    public bool IsQuiet => Age > LeaseTimes.Default.Expiry;

    /// <summary>Share of the samples that are measured, 0 to 1.</summary>
    internal double Share => Planned == 0 ? 0 : Math.Min(1, (double)Samples / Planned);
}
