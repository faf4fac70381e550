using KvPareto.Sweep.Journaling;
using KvPareto.Tasks;

namespace KvPareto.Sweep.Trials;

/// <summary>What is to be done with a trial now: all of it, some of its samples, or to drop it.</summary>
/// <param name="Trial">The trial.</param>
internal sealed record TrialWork(PlannedTrial Trial)
{
    /// <summary>The samples that are asked for; null for all.</summary>
    public IReadOnlyList<(SweepTask Task, TaskSample Sample)>? Part { get; init; }

    /// <summary>Why the search does without the trial; null where it does not.</summary>
    public string? Dropped { get; init; }

    /// <summary>Nothing is left to do of a part: others have measured it.</summary>
    public bool IsDone(SampleLog log) => Part?.All(next => log.Find(next.Task.Name, next.Sample.Id) is not null) == true;
}
