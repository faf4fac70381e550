using System.Globalization;
using KvPareto.Sweep.Journaling;
using KvPareto.Sweep.Leases;
using KvPareto.Tasks;

namespace KvPareto.Sweep.Trials;

/// <summary>
/// What workers agree on who measure one trial together, by leases alone. One who would help takes a range of its samples, and so asks;
/// who holds the trial opens it then, and from there on measures nothing without having its range either.
/// </summary>
/// <param name="folder">Run folder.</param>
/// <param name="trialId">The trial.</param>
/// <param name="leases">The folder's leases.</param>
/// <param name="sight">What the sample logs say.</param>
internal sealed class SharedTrial(string folder, string trialId, LeaseBook leases, LogSight sight)
{
    private readonly string _open = $"{trialId}-open";

    /// <summary>Somebody has a range of it, or has opened it: its holder must open it too.</summary>
    public bool IsAsked => leases.Names().Any(name => RunPaths.TrialOfRange(name) == trialId);

    /// <summary>Its ranges are there to be measured.</summary>
    public bool IsOpen => leases.Has(_open);

    /// <summary>Lets others measure ranges of it until the lease is given back; to be called by its holder. Null where an earlier holder's
    /// still stands, which does as well.</summary>
    public Lease? TryOpen() => leases.TryTake(_open);

    /// <summary>Takes the first range that has something to be measured and that nobody has; null where there is none.</summary>
    /// <param name="ranges">The trial's.</param>
    /// <param name="missing">What is to be measured.</param>
    /// <param name="after">How many of those ranges to leave to others.</param>
    public SharedRange? TryTake(
        IReadOnlyList<IReadOnlyList<(SweepTask Task, TaskSample Sample)>> ranges,
        IEnumerable<(SweepTask Task, TaskSample Sample)> missing, int after = 0)
    {
        var keys = missing.Select(KeyOf).ToHashSet();
        foreach (var (number, samples) in ranges.Index().Where(range => range.Item.Any(next => keys.Contains(KeyOf(next)))).Skip(after))
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"{trialId}-{number}");
            if (leases.TryTake(name) is { } lease) return new(samples, lease);
        }
        return null;
    }

    /// <summary>What all have measured of it.</summary>
    public IReadOnlyDictionary<(string Task, string Sample), SampleRecord> Samples()
    {
        sight.Look();
        return sight.Read(trialId);
    }

    /// <summary>A log for what is measured of a range by one that does not hold the trial.</summary>
    /// <param name="range">Its lease is disposed with the log.</param>
    public SampleLog OpenLog(SharedRange range)
    {
        var log = SampleLog.Open(RunPaths.NewHelperLog(folder, trialId), range.Lease, isHelpers: true);
        log.Know(Samples().Values);
        return log;
    }

    /// <summary>Tells the holder's log what others have measured.</summary>
    public void Tell(SampleLog log) => log.Know(sight.OfHelpers(trialId));

    /// <summary>Makes one log of all, by its holder, once nobody is to help any more.</summary>
    public void Gather(SampleLog log, PlannedTrial trial)
    {
        log.Gather(RunPaths.HelperLogs(folder, trialId), trial.InOrder().Select(KeyOf));
        foreach (var name in leases.Names().Where(name => RunPaths.TrialOfRange(name) == trialId)) leases.TryTake(name)?.Dispose();
    }

    private static (string, string) KeyOf((SweepTask Task, TaskSample Sample) next) => (next.Task.Name, next.Sample.Id);
}

/// <summary>A range of a trial that this worker has.</summary>
/// <param name="Samples">Its samples, measured or not.</param>
/// <param name="Lease">The right to measure them.</param>
internal sealed record SharedRange(IReadOnlyList<(SweepTask Task, TaskSample Sample)> Samples, Lease Lease);
