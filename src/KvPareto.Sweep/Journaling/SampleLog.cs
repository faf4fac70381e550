using System.Diagnostics;
using System.Text.Json;
using KvPareto.Sweep.Leases;
using KvPareto.Sweep.Storage;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Journaling;

/// <summary>
/// The samples of one trial as they are measured, under the lease of the trial. A sample outlives the process at once, and a power cut
/// after a second at most.
/// </summary>
internal sealed class SampleLog : IDisposable
{
    /// <summary>A line in words.</summary>
    public const string Kind = "a sample";

    private static readonly TimeSpan DiskInterval = TimeSpan.FromSeconds(1);

    private readonly string _subject;
    private readonly LineWriter _writer;
    private readonly Lease _lease;
    private readonly Dictionary<(string Task, string Sample), SampleRecord> _records;
    private long _flushed = Stopwatch.GetTimestamp();

    private SampleLog(string subject, LineWriter writer, Lease lease, Dictionary<(string, string), SampleRecord> records)
    {
        (_subject, _writer, _lease, _records) = (subject, writer, lease, records);
    }

    /// <summary>Opens the log of a trial, cutting a torn last line.</summary>
    /// <param name="path">File.</param>
    /// <param name="lease">The trial's; disposed with this object.</param>
    /// <exception cref="ConfigException">A line is damaged, or the file is no regular one.</exception>
    public static SampleLog Open(string path, Lease lease)
    {
        LineWriter? writer = null;
        try
        {
            lease.Confirm();
            writer = LineWriter.TakeOver(path);
            var entries = RecordFile.Read<SampleRecord>(path, writer.ReadLines(), SubjectOf(path), Kind, Check);
            return new(SubjectOf(path), writer, lease, ById(path, entries));
        }
        catch
        {
            writer?.Dispose();
            lease.Dispose();
            throw;
        }
    }

    /// <summary>The samples of a log that others may be writing to, and how many have no checksum; none where it is missing.</summary>
    /// <exception cref="ConfigException">A line is damaged, or the file is no regular one.</exception>
    public static (IReadOnlyCollection<SampleRecord> Records, int Unsealed) Read(string path)
    {
        RecordFile.Entry<SampleRecord>[] entries = [.. RecordFile.Read<SampleRecord>(path, SubjectOf(path), Kind, Check)];
        return (ById(path, entries).Values, entries.Count(entry => !entry.IsSealed));
    }

    /// <summary>What the checksums of a log say it is of.</summary>
    public static string SubjectOf(string path) => "samples " + Path.GetFileNameWithoutExtension(path);

    /// <summary>Refuses a sample that no sweep wrote.</summary>
    /// <exception cref="JsonException">A value is out of range.</exception>
    public static void Check(SampleRecord record)
    {
        var isInRange = record is { Score: >= 0 and <= 1, PromptTokens: > 0, NewTokens: >= 0, TtftMs: >= 0, TpotMs: null or >= 0 }
            && (record.Address is null || RunCheck.IsId(record.Address)) && (record.MeasuredIn is null || RunCheck.IsId(record.MeasuredIn))
            && record.Parts?.Values.All(score => score is >= 0 and <= 1) != false;
        if (!isInRange) throw new JsonException("a value is out of range");
    }

    /// <summary>Samples measured so far.</summary>
    public int Count => _records.Count;

    /// <summary>A sample measured earlier, or null.</summary>
    public SampleRecord? Find(string task, string sample) => _records.GetValueOrDefault((task, sample));

    /// <summary>Keeps a sample.</summary>
    /// <exception cref="LeaseLostException">Another worker has the trial by now.</exception>
    public void Append(SampleRecord record)
    {
        _lease.Confirm();
        var durable = Stopwatch.GetElapsedTime(_flushed) >= DiskInterval;
        _writer.Append(Seal.Close(JournalJson.WriteLine(record), _subject, _records.Count + 1), durable);
        if (durable) _flushed = Stopwatch.GetTimestamp();
        _records.Add((record.Task, record.Sample), record);
    }

    /// <summary>Waits until all samples are on the disk.</summary>
    /// <exception cref="LeaseLostException">Another worker has the trial by now.</exception>
    public void Flush()
    {
        _writer.Flush();
        _lease.Confirm();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _writer.Dispose();
        _lease.Dispose();
    }

    private static Dictionary<(string, string), SampleRecord> ById(string path, IEnumerable<RecordFile.Entry<SampleRecord>> entries)
    {
        var records = new Dictionary<(string, string), SampleRecord>();
        foreach (var (line, record, _) in entries)
        {
            if (records.TryAdd((record.Task, record.Sample), record)) continue;
            throw new ConfigException($"{path}:{line}: sample '{record.Sample}' of task '{record.Task}' stands twice; the file is damaged"
                + "; allowed: a sweep's lines, or no file, to measure the trial anew");
        }
        return records;
    }
}
