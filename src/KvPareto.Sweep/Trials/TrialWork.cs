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

    /// <summary>What is asked for and not measured yet, in the order of running.</summary>
    public IEnumerable<(SweepTask Task, TaskSample Sample)> Missing(Func<string, string, SampleRecord?> find) =>
        (Part ?? Trial.InOrder()).Where(next => find(next.Task.Name, next.Sample.Id) is null);

    /// <summary>Nothing is left to do of a part: others have measured it.</summary>
    public bool IsDone(SampleLog log) => Part is not null && !Missing(log.Find).Any();

    /// <summary>What is asked for of some samples.</summary>
    public TrialWork Within(IReadOnlyList<(SweepTask Task, TaskSample Sample)> range)
    {
        if (Part is null) return this with { Part = range };
        var asked = Part.Select(next => (next.Task.Name, next.Sample.Id)).ToHashSet();
        return this with { Part = [.. range.Where(next => asked.Contains((next.Task.Name, next.Sample.Id)))] };
    }
}
