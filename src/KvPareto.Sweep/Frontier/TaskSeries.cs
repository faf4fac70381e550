using KvPareto.Sweep.Results;

namespace KvPareto.Sweep.Frontier;

/// <summary>The scores of a task of a trial, or of a part of it, under the name that reports have for it.</summary>
/// <param name="Name">The task's name, with <c>#2</c> for a second task of it and <c>/PART</c> for a part.</param>
/// <param name="Mean">0 to 100.</param>
/// <param name="Scores">Sample by sample; null where the journal has the mean alone.</param>
internal sealed record TaskSeries(string Name, double Mean, TaskScore? Scores)
{
    /// <summary>Those of a trial: each task, then its parts.</summary>
    public static IEnumerable<TaskSeries> Of(TrialResult trial) =>
        from name in trial.Scores.GroupBy(score => score.Task)
        from numbered in name.Select((score, index) => (Score: score, Number: index + 1))
        let heading = numbered.Number == 1 ? name.Key : $"{name.Key}#{numbered.Number}"
        from series in (numbered.Score.Parts ?? []).Select(part => Part(heading, numbered.Score, part))
            .Prepend(new TaskSeries(heading, numbered.Score.Mean, numbered.Score))
        select series;

    private static TaskSeries Part(string heading, TaskScore task, PartScore part) =>
        new($"{heading}/{part.Name}", part.Mean,
            part.PerSample is { } scores ? new($"{task.Task}/{part.Name}", task.Digest, part.Samples, part.Mean, scores) : null);
}
