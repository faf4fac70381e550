namespace KvPareto.Sweep.Trials;

/// <summary>
/// Which samples of a trial are answered alone and read whole, though others share their work: the first of each part of a task, which the
/// trial's times are of, and those that have none to share. They depend on the trial, the warm-up and what is shared alone.
/// </summary>
internal static class TimedSamples
{
    /// <summary>Samples of a part; more where all of them would be a process's warm-up.</summary>
    public const int OfPart = 4;

    /// <summary>The samples, by task and id.</summary>
    /// <param name="trial">The trial.</param>
    /// <param name="warmUp">First samples of a process whose times do not count.</param>
    /// <param name="sharing">What others share.</param>
    public static HashSet<(string Task, string Sample)> Of(PlannedTrial trial, int warmUp, WorkSharing sharing)
    {
        var timed = Math.Max(OfPart, warmUp + 1);
        var seen = new Dictionary<(string, string), int>();
        var samples = new HashSet<(string, string)>();
        foreach (var (task, sample) in trial.InOrder())
        {
            var count = seen[(task.Name, sample.Part)] = seen.GetValueOrDefault((task.Name, sample.Part)) + 1;
            if (count <= timed || !sharing.Includes(sample)) samples.Add((task.Name, sample.Id));
        }
        return samples;
    }
}
