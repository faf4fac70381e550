using KvPareto.Text.Input;

namespace KvPareto.Sweep.Journaling;

/// <summary>
/// The folder of a run: <c>run.json</c>, <c>journal.jsonl</c> (one for each named worker) and <c>samples/</c>, as one worker has it
/// open. Nothing measured is ever taken away from it.
/// </summary>
internal sealed class RunFolder : IDisposable
{
    private const string RunFile = "run.json";
    private const string SamplesFolder = "samples";

    private readonly string _path;

    private RunFolder(string path, Journal journal)
    {
        (_path, Journal) = (path, journal);
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
        if (File.Exists(path)) throw new ConfigException($"{path}: is a file; allowed: a folder for --out");
        if (Directory.Exists(path) && !IsNew(path))
            CheckEarlier(path, options.Resume || options.Worker is not null, run);
        CreateFolder(Path.Combine(path, SamplesFolder));
        var journal = Journal.Open(JournalReader.PathOf(path, options.Worker));
        try
        {
            var begun = run with { StartedAt = JournalReader.Read(path).StartedAt ?? run.StartedAt };
            AtomicFile.Write(Path.Combine(path, RunFile), JournalJson.WritePage(begun));
            journal.RunStarted(run);
            return new(path, journal);
        }
        catch
        {
            journal.Dispose();
            throw;
        }
    }

    /// <summary>What all workers have done so far.</summary>
    public JournalState Read() => JournalReader.Read(_path);

    /// <summary>Claims a trial; null where another worker has it.</summary>
    public SampleLog? TryClaim(string trialId) => SampleLog.TryOpen(Path.Combine(_path, SamplesFolder, trialId + ".jsonl"));

    /// <inheritdoc/>
    public void Dispose() => Journal.Dispose();

    // Empty, or with no more in it than a worker that starts at the same moment has made so far.
    private static bool IsNew(string path) => Directory.EnumerateFileSystemEntries(path).All(entry =>
        (Path.GetFileName(entry) == SamplesFolder && !Directory.EnumerateFileSystemEntries(entry).Any()) || entry.EndsWith(AtomicFile.DraftSuffix, StringComparison.Ordinal));

    private static void CheckEarlier(string path, bool resume, RunRecord run)
    {
        if (!resume)
            throw new ConfigException($"{path}: is not empty; allowed: an empty or new folder, or --resume to go on with its run");
        if (!File.Exists(Path.Combine(path, RunFile)) && JournalReader.Files(path).Count == 0)
            throw new ConfigException($"{path}: holds no run; allowed for --resume: the folder of an earlier sweep");

        var earlier = JournalReader.Read(path);
        if (earlier.Run?.Host is { Workers: { } begun } host && host.Backend == run.Host.Backend && begun != run.Host.Workers)
            throw new ConfigException($"{path}: was begun with {begun} threads, which its peaks depend on; allowed: --threads {begun}, or another --out");
        var planned = run.Trials.Select(trial => trial.Id).ToHashSet();
        if (earlier.Started.Order(StringComparer.Ordinal).FirstOrDefault(id => !planned.Contains(id)) is not { } foreign) return;
        var known = earlier.Run?.Trials.FirstOrDefault(trial => trial.Id == foreign);
        var name = known is null ? $"trial {foreign}" : $"{known.Setting} of {known.Model} (trial {foreign})";
        throw new ConfigException($"{path}: holds {name}, which this config does not have (setting, model files, tasks or seed differ);"
            + " allowed: the config it was made with, more settings or models, or another --out");
    }

    private static void CreateFolder(string path)
    {
        try
        {
            Directory.CreateDirectory(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConfigException($"{path}: cannot be created: {e.Message}", e);
        }
    }
}
