using KvPareto.Text.Input;

namespace KvPareto.Sweep.Journaling;

/// <summary>What was measured of a trial, wherever it stands.</summary>
internal static class TrialSamples
{
    /// <summary>The samples of a trial, each once; none where its logs are not there.</summary>
    /// <param name="folders">Run folders that may have them.</param>
    /// <param name="trial">The trial.</param>
    /// <exception cref="ConfigException">A log is damaged.</exception>
    public static IEnumerable<SampleRecord> Read(IReadOnlyList<string> folders, TrialResult trial) => folders
        .SelectMany(folder => trial.SampleLogs.Select(id => RunPaths.Samples(folder, id)))
        .SelectMany(log => SampleLog.Read(log).Records)
        // Runs that are merged may have measured the same.
        .DistinctBy(record => (record.Task, record.Sample));
}
