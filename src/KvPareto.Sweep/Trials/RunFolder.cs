using KvPareto.Sweep.Journaling;
using KvPareto.Sweep.Leases;
using KvPareto.Sweep.Running;
using KvPareto.Sweep.Storage;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Trials;

/// <summary>
/// The folder of a run: <c>run.json</c>, <c>journal.jsonl</c> (one for each named worker), <c>samples/</c> and <c>leases/</c>, as one
/// worker has it open. Nothing measured is ever taken away from it.
/// </summary>
internal sealed class RunFolder : IDisposable
{
    private readonly string _path;
    private readonly LeaseBook _leases;
    private readonly LogSight _sight;
    private readonly JournalSight _journals;

    private RunFolder(string path, LeaseBook leases, Journal journal)
    {
        (_path, _leases, _sight, _journals, Journal) = (path, leases, new(path), new(path), journal);
    }

    /// <summary>This worker's journal.</summary>
    public Journal Journal { get; }

    /// <summary>Other workers have journals here.</summary>
    public bool IsShared => JournalReader.Files(_path).Count > 1;

    /// <summary>Opens a new or an earlier run's folder and notes the run in it.</summary>
    /// <param name="options">The folder, created where it is missing, and whether an earlier run's is welcome.</param>
    /// <param name="run">What is about to run.</param>
    /// <exception cref="ConfigException">The folder is another run's, or no run's, or is in use.</exception>
    public static RunFolder Open(SweepOptions options, RunRecord run)
    {
        var path = options.Folder;
        RunFolderCheck.Check(options, run);
        DiskFolder.Create(RunPaths.Samples(path));
        var leases = new LeaseBook(RunPaths.Leases(path), options.Leases);
        try
        {
            var name = JournalReader.NameOf(options.Worker);
            var lease = leases.Take(name) ?? throw new ConfigException(
                $"{JournalReader.PathOf(path, options.Worker)}: another run writes to it ({leases.HolderOf(name)})"
                + "; allowed: one run at a time, or a worker name for each");
            // Meanwhile another run may have come and gone.
            RunFolderCheck.Check(options, run);
            RunLeftovers.Clear(path, leases);
            RunFolderCheck.CheckPlan(path, run, leases);
            var journal = Journal.Open(JournalReader.PathOf(path, options.Worker), lease);
            var begun = run with { StartedAt = JournalReader.Read(path).StartedAt ?? run.StartedAt };
            RunFile.Write(path, begun);
            journal.RunStarted(run);
            return new(path, leases, journal);
        }
        catch
        {
            leases.Dispose();
            throw;
        }
    }

    /// <summary>What all workers have done so far.</summary>
    public JournalState Read() => _journals.Read();

    /// <summary>Claims a trial; null where another worker has it.</summary>
    public SampleLog? TryClaim(string trialId)
    {
        if (_leases.TryTake(trialId) is not { } lease) return null;
        var log = SampleLog.Open(RunPaths.Samples(_path, trialId), lease);
        Share(trialId).Tell(log);
        return log;
    }

    /// <summary>What workers agree on who share a trial.</summary>
    public SharedTrial Share(string trialId) => new(_path, trialId, _leases, _sight);

    /// <summary>Who has a trial, in words.</summary>
    public string HolderOf(string trialId) => _leases.HolderOf(trialId);

    /// <inheritdoc/>
    public void Dispose()
    {
        Journal.Dispose();
        _leases.Dispose();
    }
}
