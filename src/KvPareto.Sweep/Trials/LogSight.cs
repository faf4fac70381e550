using KvPareto.Sweep.Journaling;
using KvPareto.Sweep.Storage;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Trials;

/// <summary>Sample logs of a run folder that others write to, of which only the lines are read that were not there before.</summary>
/// <param name="folder">Run folder.</param>
internal sealed class LogSight(string folder)
{
    private readonly Dictionary<string, Seen> _seen = []; // by path
    private ILookup<string, string> _helpers = RunPaths.HelperLogs(folder);

    /// <summary>Looks which logs there are.</summary>
    public void Look() => _helpers = RunPaths.HelperLogs(folder);

    /// <summary>The samples of a trial by task and id; none where there is no log.</summary>
    /// <exception cref="ConfigException">A line is damaged.</exception>
    public IReadOnlyDictionary<(string Task, string Sample), SampleRecord> Read(string trialId) =>
        TrialSamples.Merged(RunPaths.Samples(folder, trialId), _helpers[trialId], Records)
            .ToDictionary(record => (record.Task, record.Sample));

    /// <summary>What others have measured of a trial that this process has.</summary>
    /// <exception cref="ConfigException">A line is damaged.</exception>
    public IEnumerable<SampleRecord> OfHelpers(string trialId) => _helpers[trialId].SelectMany(Records);

    private IReadOnlyCollection<SampleRecord> Records(string path)
    {
        var file = new FileInfo(path);
        var length = file.Exists ? file.Length : 0;
        if (!_seen.TryGetValue(path, out var seen) || length < seen.Bytes) seen = new();
        if (length > seen.Bytes) seen = ReadOn(path, seen);
        return (_seen[path] = seen).Records;
    }

    private static Seen ReadOn(string path, Seen seen)
    {
        try
        {
            return seen.With(path);
        }
        catch (ConfigException) when (seen.Lines > 0)
        {
            // Another file may be in its place by now: who takes a trial over puts a copy there, who ends one puts all logs of it there.
            return new Seen().With(path);
        }
    }

    private sealed record Seen
    {
        public long Bytes { get; private init; }

        public int Lines { get; private init; }

        public IReadOnlyCollection<SampleRecord> Records { get; private init; } = [];

        public Seen With(string path)
        {
            var bytes = Bytes;
            var lines = LineReader.Read(path, Bytes, Lines).Select(line =>
            {
                bytes += line.Bytes.Length + 1;
                return line;
            });
            var records = SampleLog.Read(path, lines, Records);
            return new() { Bytes = bytes, Lines = Lines + records.Count - Records.Count, Records = records };
        }
    }
}
