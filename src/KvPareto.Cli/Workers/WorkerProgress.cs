using KvPareto.Sweep.Running;

namespace KvPareto.Cli.Workers;

/// <summary>What several workers tell of one sweep, each by its own count, as one sweep's progress.</summary>
/// <param name="observer">Told one event at a time.</param>
internal sealed class WorkerProgress(IProgress<SweepEvent> observer)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<int, int> _done = []; // samples by trial
    private readonly HashSet<int> _ended = [];
    private readonly Dictionary<string, double> _speeds = []; // samples a second, by worker
    private SweepPlanned? _plan;

    /// <summary>A worker tells something.</summary>
    public void Report(string worker, SweepEvent value)
    {
        lock (_gate)
        {
            if (Merged(worker, value) is { } told) observer.Report(told);
        }
    }

    private SweepEvent? Merged(string worker, SweepEvent value)
    {
        var told = Counted(worker, value);
        // What a worker would take for all that was missing when it said so.
        if (value.LeftAlone is { TotalSeconds: > 0 } alone && Missing() > 0) _speeds[worker] = Missing() / alone.TotalSeconds;
        return told is SampleMeasured or TrialEnded or TrialLeft ? told with { Left = Left(), LeftAlone = null } : told;
    }

    private SweepEvent? Counted(string worker, SweepEvent value)
    {
        switch (value)
        {
            case SweepPlanned planned:
                // The others plan the same, and count what the first has done meanwhile.
                if (_plan is not null) return null;
                return _plan = planned;
            case TrialBegun begun:
                _done[begun.Trial] = Math.Max(_done.GetValueOrDefault(begun.Trial), begun.SamplesDone);
                break;
            case SampleMeasured measured:
                // Where several share a trial each counts its own samples, and the others' only now and then.
                var done = Math.Max(_done.GetValueOrDefault(measured.Trial) + 1, measured.TrialSamplesDone);
                _done[measured.Trial] = Math.Min(done, measured.TrialSamples);
                return measured with { TrialSamplesDone = _done[measured.Trial], SamplesDone = Done(), Worker = worker };
            case TrialEnded ended:
                _ended.Add(ended.Trial);
                _done[ended.Trial] = ended.TrialSamples;
                return ended with { SamplesDone = Done(), Worker = worker };
            case TrialLeft left:
                // Of a worker elsewhere, which nobody else here has told of.
                if (!_ended.Add(left.Trial)) return null;
                _done[left.Trial] = left.TrialSamples;
                return left with { SamplesDone = Done(), Worker = worker };
            case SweepWaiting or WorkerGone:
                _speeds.Remove(worker);
                break;
        }
        return value with { Worker = worker };
    }

    private long Done() => (_plan?.SamplesDone ?? 0) + _done.Values.Sum(samples => (long)samples);

    private long Missing() => (_plan?.Samples ?? 0) - Done();

    // Together they are as fast as the sum of their speeds.
    private TimeSpan? Left() => Missing() <= 0 ? TimeSpan.Zero
        : _speeds.Values.Sum() is > 0 and var speed ? TimeSpan.FromSeconds(Missing() / speed) : null;
}
