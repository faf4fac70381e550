using System.Diagnostics;
using System.Text.Json;
using KvPareto.Sweep.Leases;
using KvPareto.Sweep.Results;
using KvPareto.Sweep.Storage;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Journaling;

/// <summary>
/// The samples of one trial as a worker measures them, under its lease of the trial, or of some of its samples. A sample outlives the
/// process at once, and a power cut after a second at most.
/// </summary>
internal sealed class SampleLog : IDisposable
{
    /// <summary>A line in words.</summary>
    public const string Kind = "a sample";

    private static readonly TimeSpan DiskInterval = TimeSpan.FromSeconds(1);

    private readonly string _path;
    private readonly Lease _lease;
    private readonly Dictionary<(string Task, string Sample), SampleRecord> _records = []; // those of other logs too
    private readonly HashSet<(string Task, string Sample)> _unsealed = [];
    private readonly bool _isHelpers;
    private LineWriter _writer;
    private int _lines;
    private long _flushed = Stopwatch.GetTimestamp();

    private SampleLog(string path, LineWriter writer, Lease lease, bool isHelpers)
    {
        (_path, _writer, _lease, _isHelpers) = (path, writer, lease, isHelpers);
        foreach (var (line, record, isSealed) in RecordFile.Read<SampleRecord>(path, writer.ReadLines(), SubjectOf(path), Kind, Check))
        {
            if (!_records.TryAdd(KeyOf(record), record)) throw StandsTwice(path, line, record);
            if (!isSealed) _unsealed.Add(KeyOf(record));
            _lines = line;
        }
    }

    /// <summary>Opens the log of a trial, cutting a torn last line.</summary>
    /// <param name="path">File.</param>
    /// <param name="lease">The trial's, or that of the samples that are to be measured; disposed with this object.</param>
    /// <param name="isHelpers">It is that of a helper, with a name that was never used: it is taken away where nothing is written to
    /// it.</param>
    /// <exception cref="ConfigException">A line is damaged, or the file is no regular one.</exception>
    public static SampleLog Open(string path, Lease lease, bool isHelpers = false)
    {
        LineWriter? writer = null;
        try
        {
            lease.Confirm();
            writer = LineWriter.TakeOver(path);
            return new(path, writer, lease, isHelpers);
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
        var unsealed = 0;
        var records = Read(path, LineReader.Read(path), [], () => unsealed++);
        return (records, unsealed);
    }

    /// <summary>The same of lines that follow others.</summary>
    /// <param name="path">File.</param>
    /// <param name="lines">What follows.</param>
    /// <param name="before">The samples of the lines before.</param>
    /// <param name="onUnsealed">Called for each line without a checksum.</param>
    /// <exception cref="ConfigException">A line is damaged, or the file is no regular one.</exception>
    public static IReadOnlyCollection<SampleRecord> Read(
        string path, IEnumerable<(int Number, ReadOnlyMemory<byte> Bytes)> lines, IReadOnlyCollection<SampleRecord> before,
        Action? onUnsealed = null)
    {
        var records = before.ToList();
        var seen = before.Select(KeyOf).ToHashSet();
        foreach (var (line, record, isSealed) in RecordFile.Read<SampleRecord>(path, lines, SubjectOf(path), Kind, Check))
        {
            if (!seen.Add(KeyOf(record))) throw StandsTwice(path, line, record);
            if (!isSealed) onUnsealed?.Invoke();
            records.Add(record);
        }
        return records;
    }

    /// <summary>What the checksums of a log say it is of.</summary>
    public static string SubjectOf(string path) => "samples " + Path.GetFileNameWithoutExtension(path);

    /// <summary>Refuses a sample that no sweep wrote.</summary>
    /// <exception cref="JsonException">A value is out of range.</exception>
    public static void Check(SampleRecord record)
    {
        var isInRange = record is { Score: >= 0 and <= 1, PromptTokens: > 0, NewTokens: >= 0, TtftMs: >= 0, TpotMs: null or >= 0 }
            && record.BatchSize is null or > 1 && (record.PrefixTokens is null || (uint)record.PrefixTokens < record.PromptTokens)
            && (record.Address is null || TextHash.IsId(record.Address)) && (record.MeasuredIn is null || TextHash.IsId(record.MeasuredIn))
            && record.Parts?.Values.All(score => score is >= 0 and <= 1) != false;
        if (!isInRange) throw new JsonException("a value is out of range");
    }

    /// <summary>Samples measured so far, by whomever.</summary>
    public int Count => _records.Count;

    /// <summary>A sample measured earlier, or null.</summary>
    public SampleRecord? Find(string task, string sample) => _records.GetValueOrDefault((task, sample));

    /// <summary>Learns what stands in other logs of the trial.</summary>
    public void Know(IEnumerable<SampleRecord> others)
    {
        foreach (var record in others) _records.TryAdd(KeyOf(record), record);
    }

    /// <summary>Keeps a sample.</summary>
    /// <exception cref="LeaseLostException">Another worker has the trial, or the sample, by now.</exception>
    public void Append(SampleRecord record)
    {
        _lease.Confirm();
        var durable = Stopwatch.GetElapsedTime(_flushed) >= DiskInterval;
        _writer.Append(Sealed(record, ++_lines), durable);
        if (durable) _flushed = Stopwatch.GetTimestamp();
        _records.Add(KeyOf(record), record);
    }

    /// <summary>Waits until all samples are on the disk.</summary>
    /// <exception cref="LeaseLostException">Another worker has the trial by now.</exception>
    public void Flush()
    {
        _writer.Flush();
        _lease.Confirm();
    }

    /// <summary>Makes one log of several: takes in what stands in others, puts all in the order of running, and takes the others away. It
    /// is then as if this worker alone had measured everything, one sample after the other.</summary>
    /// <param name="others">Logs of those that helped.</param>
    /// <param name="order">All samples of the trial in the order of running.</param>
    /// <exception cref="LeaseLostException">Another worker has the trial by now.</exception>
    /// <exception cref="IOException">The disk is full or fails; nothing is lost.</exception>
    public void Gather(IEnumerable<string> others, IEnumerable<(string Task, string Sample)> order)
    {
        string[] paths = [.. others];
        foreach (var path in paths) Know(Read(path).Records);
        var places = order.Index().ToDictionary(entry => entry.Item, entry => entry.Index);
        // Lines without a checksum may only stand before all others, and are given none: nobody knows that they are whole.
        SampleRecord[] records =
        [
            .. _records.Values.OrderBy(record => !_unsealed.Contains(KeyOf(record)))
                .ThenBy(record => places.GetValueOrDefault(KeyOf(record), places.Count)),
        ];
        if (paths.Length == 0 && records.SequenceEqual(_records.Values, ReferenceEqualityComparer.Instance)) return;
        _lease.Confirm();
        var whole = LineWriter.WriteAnew(_path, records.Select((record, index) => Sealed(record, index + 1)));
        _writer.Dispose();
        (_writer, _lines) = (whole, records.Length);
        _lease.Confirm();
        foreach (var path in paths) File.Delete(path);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _writer.Dispose();
        if (_isHelpers && _lines == 0) File.Delete(_path);
        _lease.Dispose();
    }

    private byte[] Sealed(SampleRecord record, int line) => _unsealed.Contains(KeyOf(record)) ? JournalJson.WriteLine(record)
        : Seal.Close(JournalJson.WriteLine(record), SubjectOf(_path), line);

    private static (string Task, string Sample) KeyOf(SampleRecord record) => (record.Task, record.Sample);

    private static ConfigException StandsTwice(string path, int line, SampleRecord record) =>
        new($"{path}:{line}: sample '{record.Sample}' of task '{record.Task}' stands twice; the file is damaged"
            + "; allowed: a sweep's lines, or no file, to measure the trial anew");
}
