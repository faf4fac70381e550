using KvPareto.Sweep.Journaling;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Trials;

/// <summary>Sample logs of a run folder that others write to, of which only the lines are read that were not there before.</summary>
/// <param name="folder">Run folder.</param>
internal sealed class LogSight(string folder)
{
    private readonly RecordSight<SampleRecord> _logs = new((path, lines, before) => SampleLog.Read(path, lines, before));
    private ILookup<string, string> _helpers = RunPaths.HelperLogs(folder);

    /// <summary>Looks which logs there are.</summary>
    public void Look() => _helpers = RunPaths.HelperLogs(folder);

    /// <summary>The samples of a trial by task and id; none where there is no log.</summary>
    /// <exception cref="ConfigException">A line is damaged.</exception>
    public IReadOnlyDictionary<(string Task, string Sample), SampleRecord> Read(string trialId) =>
        TrialSamples.Merged(RunPaths.Samples(folder, trialId), _helpers[trialId], _logs.Read)
            .ToDictionary(record => (record.Task, record.Sample));

    /// <summary>What others have measured of a trial that this process has, in whatever logs there are now.</summary>
    /// <exception cref="ConfigException">A line is damaged.</exception>
    public IEnumerable<SampleRecord> OfHelpers(string trialId) => RunPaths.HelperLogs(folder, trialId).SelectMany(_logs.Read);
}
