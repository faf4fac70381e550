using KvPareto.Tasks;

namespace KvPareto.Sweep.Trials;

/// <summary>
/// Which samples of a trial are answered alone, though others are answered together: the first of each part of a task, which the trial's
/// time per token is of, and those that nothing is decoded for. They depend on the trial and the warm-up alone.
/// </summary>
internal static class LoneSamples
{
    /// <summary>Samples of a part that are timed; more where all of them would be a process's warm-up.</summary>
    public const int Timed = 4;

    /// <summary>The samples, by task and id.</summary>
    /// <param name="trial">The trial.</param>
    /// <param name="warmUp">First samples of a process whose times do not count.</param>
    public static HashSet<(string Task, string Sample)> Of(PlannedTrial trial, int warmUp)
    {
        var timed = Math.Max(Timed, warmUp + 1);
        var seen = new Dictionary<(string, string), int>();
        var alone = new HashSet<(string, string)>();
        foreach (var (task, sample) in trial.InOrder())
        {
            var count = seen[(task.Name, sample.Part)] = seen.GetValueOrDefault((task.Name, sample.Part)) + 1;
            if (count <= timed || sample.Kind != SampleKind.Answer || sample.MaxNewTokens == 1) alone.Add((task.Name, sample.Id));
        }
        return alone;
    }
}
