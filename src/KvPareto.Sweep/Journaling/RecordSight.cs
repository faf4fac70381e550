using KvPareto.Sweep.Storage;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Journaling;

/// <summary>Files of records that others append to, of which only the lines are read that were not there before.</summary>
/// <param name="read">The records of a file's lines that follow others, those of the others before them.</param>
internal sealed class RecordSight<T>(
    Func<string, IEnumerable<(int Number, ReadOnlyMemory<byte> Bytes)>, IReadOnlyCollection<T>, IReadOnlyCollection<T>> read)
{
    private readonly Dictionary<string, Seen> _seen = []; // by path

    /// <summary>The records of a file; none where it is missing.</summary>
    /// <exception cref="ConfigException">A line is damaged, or the file is no regular one.</exception>
    public IReadOnlyCollection<T> Read(string path)
    {
        var file = new FileInfo(path);
        var length = file.Exists ? file.Length : 0;
        if (!_seen.TryGetValue(path, out var seen) || length < seen.Bytes) seen = new(0, 0, []);
        if (length > seen.Bytes) seen = ReadOn(path, seen);
        return (_seen[path] = seen).Records;
    }

    private Seen ReadOn(string path, Seen seen)
    {
        try
        {
            return After(path, seen);
        }
        catch (ConfigException) when (seen.Lines > 0)
        {
            // Another file may be in its place by now: who takes a trial over puts a copy there, who ends one puts all logs of it there.
            return After(path, new(0, 0, []));
        }
    }

    private Seen After(string path, Seen seen)
    {
        var (bytes, count) = (seen.Bytes, seen.Lines);
        var lines = LineReader.Read(path, seen.Bytes, seen.Lines).Select(line =>
        {
            bytes += line.Bytes.Length + 1;
            count = line.Number;
            return line;
        });
        var records = read(path, lines, seen.Records);
        return new(bytes, count, records);
    }

    private sealed record Seen(long Bytes, int Lines, IReadOnlyCollection<T> Records);
}
