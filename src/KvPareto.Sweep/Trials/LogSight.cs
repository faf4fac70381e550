using KvPareto.Sweep.Journaling;

namespace KvPareto.Sweep.Trials;

/// <summary>Sample logs of a run folder that others write to, read again only where they have grown.</summary>
/// <param name="folder">Run folder.</param>
internal sealed class LogSight(string folder)
{
    private readonly Dictionary<string, (long Length, IReadOnlyDictionary<(string Task, string Sample), SampleRecord> Records)> _known = [];

    /// <summary>The samples of a trial by task and id; none where there is no log.</summary>
    /// <exception cref="Text.Input.ConfigException">A line is damaged.</exception>
    public IReadOnlyDictionary<(string Task, string Sample), SampleRecord> Read(string trialId)
    {
        var file = new FileInfo(RunPaths.Samples(folder, trialId));
        var length = file.Exists ? file.Length : 0;
        if (_known.TryGetValue(trialId, out var known) && known.Length == length) return known.Records;
        var records = SampleLog.Read(file.FullName).Records.ToDictionary(record => (record.Task, record.Sample));
        _known[trialId] = (length, records);
        return records;
    }
}
