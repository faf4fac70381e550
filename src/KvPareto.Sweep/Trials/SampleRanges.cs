using KvPareto.Tasks;

namespace KvPareto.Sweep.Trials;

/// <summary>
/// A trial's samples in the order of running, cut into ranges that workers take one after the other where they share the trial. Each is
/// a share of what is left after those before it, so that the first are worth a lease and the last, single samples, end at about the
/// same time. They depend on the trial alone: all workers cut it alike.
/// </summary>
internal static class SampleRanges
{
    private const int Share = 16; // of what is left: twice as many as workers would be enough

    /// <summary>The ranges.</summary>
    public static IReadOnlyList<IReadOnlyList<(SweepTask Task, TaskSample Sample)>> Of(PlannedTrial trial)
    {
        var (samples, ranges) = (trial.InOrder(), new List<IReadOnlyList<(SweepTask, TaskSample)>>());
        for (var (from, count) = (0, 0); from < samples.Count; from += count)
        {
            count = (samples.Count - from + Share - 1) / Share;
            ranges.Add([.. samples.Skip(from).Take(count)]);
        }
        return ranges;
    }
}
