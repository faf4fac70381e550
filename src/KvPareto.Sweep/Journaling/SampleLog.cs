using System.Diagnostics;
using System.Text.Json;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Journaling;

/// <summary>
/// The samples of one trial as they are measured. Holding it open is the claim on the trial: another worker cannot open it, and
/// the claim ends with the process. A sample outlives the process at once, and a power cut after a second at most.
/// </summary>
internal sealed class SampleLog : IDisposable
{
    private static readonly TimeSpan DiskInterval = TimeSpan.FromSeconds(1);

    private readonly LineWriter _writer;
    private readonly Dictionary<(string Task, string Sample), SampleRecord> _records;
    private long _flushed = Stopwatch.GetTimestamp();

    private SampleLog(LineWriter writer, Dictionary<(string, string), SampleRecord> records)
    {
        (_writer, _records) = (writer, records);
    }

    /// <summary>Opens the log of a trial; null where another worker holds it.</summary>
    /// <exception cref="ConfigException">A line is damaged.</exception>
    public static SampleLog? TryOpen(string path)
    {
        if (LineWriter.TryOpenAlone(path) is not { } writer) return null;
        try
        {
            return new(writer, Read(path, writer));
        }
        catch
        {
            writer.Dispose();
            throw;
        }
    }

    /// <summary>Samples measured so far.</summary>
    public int Count => _records.Count;

    /// <summary>A sample measured earlier, or null.</summary>
    public SampleRecord? Find(string task, string sample) => _records.GetValueOrDefault((task, sample));

    /// <summary>Keeps a sample.</summary>
    public void Append(SampleRecord record)
    {
        var durable = Stopwatch.GetElapsedTime(_flushed) >= DiskInterval;
        _writer.Append(JournalJson.WriteLine(record), durable);
        if (durable) _flushed = Stopwatch.GetTimestamp();
        _records.Add((record.Task, record.Sample), record);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _writer.FlushToDisk();
        _writer.Dispose();
    }

    private static Dictionary<(string, string), SampleRecord> Read(string path, LineWriter writer)
    {
        var records = new Dictionary<(string, string), SampleRecord>();
        foreach (var (number, line) in writer.ReadLines())
        {
            var record = Parse(path, number, line.Span);
            if (!records.TryAdd((record.Task, record.Sample), record))
                throw Damaged(path, number, $"sample '{record.Sample}' of task '{record.Task}' stands twice");
        }
        return records;
    }

    private static SampleRecord Parse(string path, int number, ReadOnlySpan<byte> line)
    {
        try
        {
            var record = JournalJson.Read<SampleRecord>(line);
            return record is { Score: >= 0 and <= 1, PromptTokens: > 0, NewTokens: >= 0, TtftMs: >= 0, TpotMs: null or >= 0 }
                && record.Parts?.Values.All(score => score is >= 0 and <= 1) != false
                ? record
                : throw new JsonException("a value is out of range");
        }
        catch (JsonException e)
        {
            throw Damaged(path, number, "not a sample", e);
        }
    }

    private static ConfigException Damaged(string path, int number, string problem, Exception? inner = null)
    {
        var message = $"{path}:{number}: {problem}; the file is damaged; allowed: a sweep's lines, or no file, to measure the trial anew";
        return inner is null ? new(message) : new(message, inner);
    }
}
