using KvPareto.Text.Input;

namespace KvPareto.Sweep.Journaling;

/// <summary>One worker's append-only journal; every event is on the disk before the call returns.</summary>
internal sealed class Journal : IDisposable
{
    private readonly LineWriter _writer;
    private readonly FileStream _lock;

    private Journal(LineWriter writer, FileStream held)
    {
        (_writer, _lock) = (writer, held);
    }

    /// <summary>Opens a worker's journal, cutting a torn last line.</summary>
    /// <exception cref="ConfigException">Another process writes to it, or it cannot be written.</exception>
    public static Journal Open(string path)
    {
        var held = Lock(path);
        try
        {
            return new(LineWriter.Open(path), held);
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    /// <summary>A process began to work on the sweep.</summary>
    public void RunStarted(RunRecord run) => Append(new() { Event = JournalEvent.RunStarted, Run = run, At = DateTimeOffset.UtcNow });

    /// <summary>A trial is begun or gone on with.</summary>
    public void TrialStarted(TrialSpec trial) =>
        Append(new() { Event = JournalEvent.TrialStarted, Trial = trial.Id, At = DateTimeOffset.UtcNow });

    /// <summary>A trial has its result, good or bad.</summary>
    public void TrialEnded(TrialResult result) => Append(new()
    {
        Event = result.Status == TrialStatus.Ok ? JournalEvent.TrialFinished : JournalEvent.TrialFailed,
        Trial = result.TrialId,
        Result = result,
        At = DateTimeOffset.UtcNow,
    });

    /// <inheritdoc/>
    public void Dispose()
    {
        _writer.Dispose();
        _lock.Dispose();
    }

    // A file beside the journal: an exclusive lock on the journal itself would keep its readers out too.
    private static FileStream Lock(string path)
    {
        try
        {
            return new FileStream(path + ".lock", FileMode.OpenOrCreate, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConfigException($"{path}: another run writes to it, or it cannot be written"
                + "; allowed: one run at a time, or a worker name for each", e);
        }
    }

    private void Append(JournalEvent entry) => _writer.Append(JournalJson.WriteLine(entry), durable: true);
}
