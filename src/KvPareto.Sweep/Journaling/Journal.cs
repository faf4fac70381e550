using KvPareto.Sweep.Leases;
using KvPareto.Sweep.Results;
using KvPareto.Sweep.Storage;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Journaling;

/// <summary>One worker's append-only journal; every event is on the disk before the call returns.</summary>
internal sealed class Journal : IDisposable
{
    private readonly string _path;
    private readonly LineWriter _writer;
    private readonly Lease _lease;
    private int _lines;

    private Journal(string path, LineWriter writer, Lease lease, int lines)
    {
        (_path, _writer, _lease, _lines) = (path, writer, lease, lines);
    }

    /// <summary>Opens a worker's journal, cutting a torn last line.</summary>
    /// <param name="path">File.</param>
    /// <param name="lease">The worker's; stays the caller's.</param>
    /// <exception cref="ConfigException">It is no regular file, or cannot be written.</exception>
    public static Journal Open(string path, Lease lease)
    {
        lease.Confirm();
        var writer = LineWriter.TakeOver(path);
        return new(path, writer, lease, writer.ReadLines().Count());
    }

    /// <summary>A process began to work on the sweep.</summary>
    public void RunStarted(RunRecord run) => Append(new() { Event = JournalEvent.RunStarted, Run = run, At = DateTimeOffset.UtcNow });

    /// <summary>A trial is begun or gone on with.</summary>
    public void TrialStarted(TrialSpec trial, int samples) =>
        Append(new() { Event = JournalEvent.TrialStarted, Trial = trial.Id, Samples = samples, At = DateTimeOffset.UtcNow });

    /// <summary>A trial has its result, good or bad, or is dropped.</summary>
    public void TrialEnded(TrialResult result) => Append(new()
    {
        Event = result.Status switch
        {
            TrialStatus.Ok => JournalEvent.TrialFinished,
            TrialStatus.Dropped => JournalEvent.TrialDropped,
            _ => JournalEvent.TrialFailed,
        },
        Trial = result.TrialId,
        Result = result,
        At = DateTimeOffset.UtcNow,
    });

    /// <inheritdoc/>
    public void Dispose() => _writer.Dispose();

    private void Append(JournalEvent entry)
    {
        try
        {
            _lease.Confirm();
        }
        catch (LeaseLostException e)
        {
            throw new ConfigException($"{_path}: another run took it over while this one stood still; allowed: to let that one go on", e);
        }
        _writer.Append(Seal.Close(JournalJson.WriteLine(entry), JournalReader.Subject, ++_lines), durable: true);
        if (!_writer.IsInPlace)
            throw new ConfigException(
                $"{_path}: was removed or replaced while the run wrote to it; allowed: to leave it alone; --resume goes on");
    }
}
