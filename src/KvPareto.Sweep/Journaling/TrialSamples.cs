using KvPareto.Text.Input;

namespace KvPareto.Sweep.Journaling;

/// <summary>What was measured of a trial that may be in work, wherever it stands; of a result the run's history knows.</summary>
internal static class TrialSamples
{
    /// <summary>The samples of a trial that may be in work: those of its own log, and of the logs of workers that help with it, which
    /// are gone once it has a result.</summary>
    /// <param name="folder">Run folder.</param>
    /// <param name="trialId">The trial.</param>
    /// <param name="helpers">The logs of helpers with it, where those of all trials are known; null to look for them.</param>
    /// <exception cref="ConfigException">A log is damaged.</exception>
    public static IReadOnlyCollection<SampleRecord> Read(string folder, string trialId, IEnumerable<string>? helpers = null) => Merged(
        RunPaths.Samples(folder, trialId), helpers ?? RunPaths.HelperLogs(folder, trialId), path => SampleLog.Read(path).Records);

    /// <summary>The same, by whatever reads a log.</summary>
    public static IReadOnlyCollection<SampleRecord> Merged(
        string own, IEnumerable<string> helpers, Func<string, IReadOnlyCollection<SampleRecord>> read)
    {
        // Helpers' first: what is gathered and taken away meanwhile is in the trial's own log by then.
        SampleRecord[] others = [.. helpers.SelectMany(read)];
        var mine = read(own);
        return others.Length == 0 ? mine : [.. mine.Concat(others).DistinctBy(record => (record.Task, record.Sample))];
    }
}
