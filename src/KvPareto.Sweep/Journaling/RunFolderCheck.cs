using KvPareto.Engine;
using KvPareto.Sweep.Leases;
using KvPareto.Sweep.Results;
using KvPareto.Sweep.Running;
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
        if (!options.Resume && options.Worker is null) RequireNew(path);
        if (IsNew(path)) return;
        if (!File.Exists(RunFile.PathOf(path)) && JournalReader.Files(path).Count == 0)
            throw new ConfigException($"{path}: holds no run; allowed for --resume: the folder of an earlier sweep");
        CheckEarlier(path, run);
    }

    /// <summary>Refuses a folder that holds anything.</summary>
    /// <exception cref="ConfigException">It does.</exception>
    public static void RequireNew(string path)
    {
        if (Directory.Exists(path) && !IsNew(path))
            throw new ConfigException($"{path}: is not empty; allowed: an empty or new folder, or --resume to go on with its run");
    }

    // No more in it than a worker makes before its first event, whether it starts at this moment or was killed then. The journal is
    // made before the record, so a record alone is that of a run whose journal was taken away.
    private static bool IsNew(string path) => Directory.EnumerateFileSystemEntries(path).All(entry =>
        RunLeftovers.IsOne(entry)
        || entry == RunPaths.Leases(path)
        || (entry == RunPaths.Samples(path) && Directory.EnumerateFileSystemEntries(entry).All(RunLeftovers.IsOne))
        || (JournalReader.Files(path).Contains(entry) && !LineReader.Read(entry).Any())
        || (entry == RunFile.PathOf(path) && JournalReader.Files(path).Count > 0 && RunFile.TryRead(path) is not null));

    // Another config is welcome: what it measures the same is taken over. Other model files under an old name are not, nor what has
    // nothing to do with the run.
    private static void CheckEarlier(string path, RunRecord run)
    {
        var earlier = JournalReader.Read(path);
        if (earlier.Run is not { } begun) return;
        if (begun.Host is { Workers: { } workers } host && host.Backend == run.Host.Backend && workers != run.Host.Workers)
            throw new ConfigException(
                $"{path}: was begun with {CountText.Of(workers, "thread")}, which its peaks depend on; allowed: --threads {workers}, "
                    + "or another --out");
        if (earlier.Started.Count == 0) return;
        if (begun.Host.Backend != run.Host.Backend)
            throw new ConfigException($"{path}: was begun on {begun.Host.Backend}, this is {run.Host.Backend}; allowed: the device it was "
                + "begun on, or another --out");
        var (before, now) = (Own(begun), Own(run));
        if (now.FirstOrDefault(model => before.TryGetValue(model.Key, out var digest) && digest != model.Value) is { Key: { } changed })
            throw new ConfigException($"{path}: was begun with other files of model '{changed}'; allowed: those files, another name for "
                + "the model, or another --out");
        RequireNames(path, "model", earlier.Runs.SelectMany(other => other.Models), run.Models);
        RequireNames(path, "task", earlier.Runs.SelectMany(other => other.Tasks), run.Tasks);
        if (!now.Keys.Any(before.ContainsKey))
            throw new ConfigException($"{path}: holds a run of other models ({string.Join(", ", before.Keys)}); allowed: a config with one "
                + "of them, or another --out");
    }

    /// <summary>Refuses to change the plan while others measure what it does not have: they would end with nothing to show for
    /// it.</summary>
    /// <param name="path">Folder.</param>
    /// <param name="run">What is about to run.</param>
    /// <param name="leases">The folder's leases.</param>
    public static void CheckPlan(string path, RunRecord run, LeaseBook leases)
    {
        var planned = run.Trials.Select(trial => trial.Id).ToHashSet();
        foreach (var name in leases.Names())
        {
            var id = RunPaths.TrialOfRange(name) ?? name;
            if (!TextHash.IsId(id) || planned.Contains(id)) continue;
            if (leases.Take(name) is { } free)
            {
                free.Dispose();
                continue;
            }
            var known = JournalReader.Read(path).Runs.SelectMany(begun => begun.Trials).FirstOrDefault(other => other.Id == id);
            var trial = known is null ? $"trial {id}" : $"{known.Setting} of {known.Model} (trial {id})";
            throw new ConfigException(
                $"{path}: {leases.HolderOf(name)} is at work on {trial}, which this config does not have (setting, tasks or seed "
                + "differ); allowed: its config, more settings or models, or to wait for it");
        }
    }

    // Results have the names that they were measured under.
    private static void RequireNames(string path, string kind, IEnumerable<RunInput> before, IReadOnlyList<RunInput> now)
    {
        var names = now.ToLookup(input => input.Digest);
        foreach (var known in before)
        {
            if (names[known.Digest].FirstOrDefault(input => input.Name != known.Name) is not { } input) continue;
            throw new ConfigException(
                $"{path}: {kind} '{input.Name}' is called '{known.Name}' there; allowed: that name, or another --out");
        }
    }

    // The files of each model itself: variants come after it.
    private static Dictionary<string, string> Own(RunRecord run) =>
        run.Models.GroupBy(model => model.Name).ToDictionary(group => group.Key, group => group.First().Digest);
}
