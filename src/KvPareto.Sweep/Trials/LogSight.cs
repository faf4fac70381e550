using KvPareto.Sweep.Journaling;

namespace KvPareto.Sweep.Trials;

/// <summary>Sample logs of a run folder that others write to, read again only where they have grown.</summary>
/// <param name="folder">Run folder.</param>
internal sealed class LogSight(string folder)
{
    private readonly Dictionary<string, (long Length, IReadOnlyCollection<SampleRecord> Records)> _known = []; // by path
    private ILookup<string, string> _helpers = RunPaths.HelperLogs(folder);

    /// <summary>Looks which logs there are.</summary>
    public void Look() => _helpers = RunPaths.HelperLogs(folder);

    /// <summary>The samples of a trial by task and id; none where there is no log.</summary>
    /// <exception cref="Text.Input.ConfigException">A line is damaged.</exception>
    public IReadOnlyDictionary<(string Task, string Sample), SampleRecord> Read(string trialId) =>
        TrialSamples.Merged(RunPaths.Samples(folder, trialId), _helpers[trialId], Records)
            .ToDictionary(record => (record.Task, record.Sample));

    /// <summary>What others have measured of a trial that this process has.</summary>
    /// <exception cref="Text.Input.ConfigException">A line is damaged.</exception>
    public IEnumerable<SampleRecord> OfHelpers(string trialId) => _helpers[trialId].SelectMany(Records);

    private IReadOnlyCollection<SampleRecord> Records(string path)
    {
        var file = new FileInfo(path);
        var length = file.Exists ? file.Length : 0;
        if (_known.TryGetValue(path, out var known) && known.Length == length) return known.Records;
        var records = SampleLog.Read(path).Records;
        _known[path] = (length, records);
        return records;
    }
}
