namespace KvPareto.Sweep.Trials;

/// <summary>
/// Which samples of a trial are answered alone and read whole, though others share their work: the first of each part of a task, which the
/// trial's times are of, fewer of each where a task has many parts, and those that have none to share. They depend on the trial, the
/// warm-up and what is shared alone.
/// </summary>
internal static class TimedSamples
{
    /// <summary>Samples of a part.</summary>
    public const int OfPart = 4;

    private const int OfTask = 32; // where its parts are fewer

    /// <summary>The samples, by task and id.</summary>
    /// <param name="trial">The trial.</param>
    /// <param name="warmUp">First samples of a process whose times do not count.</param>
    /// <param name="sharing">What others share.</param>
    public static HashSet<(string Task, string Sample)> Of(PlannedTrial trial, int warmUp, WorkSharing sharing)
    {
        var seen = new Dictionary<(string, string), int>();
        var samples = new HashSet<(string, string)>();
        var inOrder = trial.InOrder();
        var timed = inOrder.GroupBy(next => next.Task.Name, next => next.Sample.Part)
            .ToDictionary(parts => parts.Key, parts => OfEach(parts.Distinct().Count(), warmUp));
        foreach (var (task, sample) in inOrder)
        {
            var count = seen[(task.Name, sample.Part)] = seen.GetValueOrDefault((task.Name, sample.Part)) + 1;
            if (count <= timed[task.Name] || !sharing.Includes(sample)) samples.Add((task.Name, sample.Id));
        }
        return samples;
    }

    /// <summary>Samples of each of a task's parts; more where all of the task's would be a process's warm-up.</summary>
    public static int OfEach(int parts, int warmUp) => Math.Max(Math.Clamp(OfTask / parts, 1, OfPart), warmUp / parts + 1);
}
