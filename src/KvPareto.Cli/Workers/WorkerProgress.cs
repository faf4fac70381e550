using KvPareto.Sweep;

namespace KvPareto.Cli.Workers;

/// <summary>What several workers tell of one sweep, each by its own count, as one sweep's progress.</summary>
/// <param name="observer">Told one event at a time.</param>
internal sealed class WorkerProgress(IProgress<SweepEvent> observer)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<int, int> _done = []; // samples by trial
    private readonly HashSet<int> _ended = [];
    private readonly Dictionary<string, TimeSpan> _alone = [];
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
        if (value.LeftAlone is { } alone) _alone[worker] = alone;
        switch (value)
        {
            case SweepPlanned planned:
                // The others plan the same, and count what the first has done meanwhile.
                if (_plan is not null) return null;
                return _plan = planned;
            case TrialBegun begun:
                _done[begun.Trial] = begun.SamplesDone;
                break;
            case SampleMeasured measured:
                _done[measured.Trial] = measured.TrialSamplesDone;
                return measured with { SamplesDone = Done(), Left = Left(), LeftAlone = null, Worker = worker };
            case TrialEnded ended:
                _ended.Add(ended.Trial);
                _done[ended.Trial] = ended.TrialSamples;
                return ended with { SamplesDone = Done(), Left = Left(), LeftAlone = null, Worker = worker };
            case TrialLeft left:
                // Of a worker elsewhere, which nobody else here has told of.
                if (!_ended.Add(left.Trial)) return null;
                _done[left.Trial] = left.TrialSamples;
                return left with { SamplesDone = Done(), Left = Left(), LeftAlone = null, Worker = worker };
            case SweepWaiting or WorkerGone:
                _alone.Remove(worker);
                break;
        }
        return value with { Worker = worker };
    }

    private long Done() => (_plan?.SamplesDone ?? 0) + _done.Values.Sum(samples => (long)samples);

    // Together they are as fast as the sum of their speeds.
    private TimeSpan? Left()
    {
        var share = _alone.Values.Sum(time => 1 / Math.Max(1e-3, time.TotalSeconds));
        return share > 0 ? TimeSpan.FromSeconds(1 / share) : null;
    }
}
