using KvPareto.Sweep.Journaling;
using KvPareto.Tasks;

namespace KvPareto.Sweep.Trials;

/// <summary>
/// What earlier configs measured in a run folder, by address: logs of trials that are not of the present plan. A trial that begins
/// takes from there what it would measure the same.
/// </summary>
internal sealed class SampleReuse
{
    private readonly SampleAddress _address;
    private readonly Dictionary<string, (string Trial, SampleRecord Record)> _known = [];

    /// <summary>Reads the logs that the plan leaves over.</summary>
    /// <param name="folder">Run folder.</param>
    /// <param name="plan">The plan.</param>
    /// <param name="address">Names measurements.</param>
    /// <exception cref="Text.Input.ConfigException">A line of such a log is damaged.</exception>
    public SampleReuse(string folder, SweepPlan plan, SampleAddress address)
    {
        _address = address;
        foreach (var (trial, path) in RunLeftovers.Logs(folder, plan.Specs.Select(spec => spec.Id).ToHashSet()))
            foreach (var record in SampleLog.Read(path).Records)
                if (record.Address is { } known) _known.TryAdd(known, (trial, record));
    }

    /// <summary>The sample of a trial was measured before.</summary>
    public bool Has(PlannedTrial trial, SweepTask task, TaskSample sample) => Find(trial, task, sample) is not null;

    /// <summary>What was measured of it, by whatever task; null where it was not.</summary>
    public SampleRecord? Find(PlannedTrial trial, SweepTask task, TaskSample sample) =>
        _known.Count > 0 && _known.TryGetValue(_address.Of(trial, task, sample), out var known) ? known.Record : null;

    /// <summary>Copies into a trial's log what it lacks of some samples and was measured before, scored by the trial's own
    /// tasks.</summary>
    public void Fill(PlannedTrial trial, IEnumerable<(SweepTask Task, TaskSample Sample)> samples, SampleLog log)
    {
        if (_known.Count == 0) return;
        foreach (var (task, sample) in samples.Where(next => log.Find(next.Task.Name, next.Sample.Id) is null))
        {
            if (_known.TryGetValue(_address.Of(trial, task, sample), out var known) && Scored(task, sample, known) is { } record)
                log.Append(record);
        }
    }

    // What cannot be scored is measured, and fails there with its reason.
    private static SampleRecord? Scored(SweepTask task, TaskSample sample, (string Trial, SampleRecord Record) known)
    {
        try
        {
            return task.Scored(known.Record, sample) with { MeasuredIn = known.Record.MeasuredIn ?? known.Trial };
        }
        catch (Exception e) when (TrialFailure.Reason(e) is not null || e is FormatException)
        {
            return null;
        }
    }
}
