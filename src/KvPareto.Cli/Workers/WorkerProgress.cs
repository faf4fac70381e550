using KvPareto.Sweep;

namespace KvPareto.Cli.Workers;

/// <summary>What several workers tell of one sweep, each by its own count, as one sweep's progress.</summary>
/// <param name="observer">Told one event at a time.</param>
internal sealed class WorkerProgress(IProgress<SweepEvent> observer)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<int, int> _ended = []; // samples by trial
    private readonly Dictionary<string, (int Trial, int Done, int Samples)> _at = []; // by worker
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
                _at[worker] = (begun.Trial, begun.SamplesDone, begun.Samples);
                break;
            case SampleMeasured measured:
                _at[worker] = (measured.Trial, measured.TrialSamplesDone, measured.TrialSamples);
                return measured with { SamplesDone = Done(), Left = Left(), LeftAlone = null, Worker = worker };
            case TrialEnded ended:
                _ended[ended.Trial] = _at.Remove(worker, out var at) ? at.Samples : 0;
                return ended with { SamplesDone = Done(), Left = Left(), LeftAlone = null, Worker = worker };
            case TrialLeft left:
                // Of a worker elsewhere, which nobody else here has told of.
                if (!_ended.TryAdd(left.Trial, left.TrialSamples)) return null;
                return left with { SamplesDone = Done(), Left = Left(), LeftAlone = null, Worker = worker };
            case SweepWaiting or WorkerGone:
                _at.Remove(worker);
                _alone.Remove(worker);
                break;
        }
        return value with { Worker = worker };
    }

    private long Done() => (_plan?.SamplesDone ?? 0) + _ended.Values.Sum(samples => (long)samples) + _at.Values.Sum(at => (long)at.Done);

    // Together they are as fast as the sum of their speeds.
    private TimeSpan? Left()
    {
        var share = _alone.Values.Sum(time => 1 / Math.Max(1e-3, time.TotalSeconds));
        return share > 0 ? TimeSpan.FromSeconds(1 / share) : null;
    }
}
