using KvPareto.Sweep.Storage;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Journaling;

/// <summary>Whether a run may work in a folder; changes nothing in it.</summary>
internal static class RunFolderCheck
{
    /// <summary>Refuses a folder that is another run's or no run's.</summary>
    /// <exception cref="ConfigException">Says what is in it and what is allowed.</exception>
    public static void Check(SweepOptions options, RunRecord run)
    {
        var path = options.Folder;
        if (File.Exists(path)) throw new ConfigException($"{path}: is a file; allowed: a folder for --out");
        if (!Directory.Exists(path)) return;
        foreach (var folder in new[] { RunPaths.Samples(path), RunPaths.Leases(path) }) DiskFolder.RequireOwn(folder);
        if (IsNew(path)) return;
        if (!options.Resume && options.Worker is null)
            throw new ConfigException($"{path}: is not empty; allowed: an empty or new folder, or --resume to go on with its run");
        if (!File.Exists(RunFile.PathOf(path)) && JournalReader.Files(path).Count == 0)
            throw new ConfigException($"{path}: holds no run; allowed for --resume: the folder of an earlier sweep");
        CheckEarlier(path, run);
    }

    // No more in it than a worker makes before its first event, whether it starts at this moment or was killed then. The journal is
    // made before the record, so a record alone is that of a run whose journal was taken away.
    private static bool IsNew(string path) => Directory.EnumerateFileSystemEntries(path).All(entry =>
        RunLeftovers.IsOne(entry)
        || entry == RunPaths.Leases(path)
        || (entry == RunPaths.Samples(path) && Directory.EnumerateFileSystemEntries(entry).All(RunLeftovers.IsOne))
        || (JournalReader.Files(path).Contains(entry) && !LineReader.Read(entry).Any())
        || (entry == RunFile.PathOf(path) && JournalReader.Files(path).Count > 0 && RunFile.TryRead(path) is not null));

    private static void CheckEarlier(string path, RunRecord run)
    {
        var earlier = JournalReader.Read(path);
        if (earlier.Run?.Host is { Workers: { } begun } host && host.Backend == run.Host.Backend && begun != run.Host.Workers)
            throw new ConfigException(
                $"{path}: was begun with {begun} threads, which its peaks depend on; allowed: --threads {begun}, or another --out");
        var planned = run.Trials.Select(trial => trial.Id).ToHashSet();
        if (earlier.Started.Order(StringComparer.Ordinal).FirstOrDefault(id => !planned.Contains(id)) is not { } foreign) return;
        var known = earlier.Run?.Trials.FirstOrDefault(trial => trial.Id == foreign);
        var name = known is null ? $"trial {foreign}" : $"{known.Setting} of {known.Model} (trial {foreign})";
        throw new ConfigException($"{path}: holds {name}, which this config does not have (setting, model files, tasks or seed differ);"
            + " allowed: the config it was made with, more settings or models, or another --out");
    }
}
