using KvPareto.Sweep.Leases;
using KvPareto.Sweep.Storage;

namespace KvPareto.Sweep.Journaling;

/// <summary>What the dead and earlier configs leave in a run folder.</summary>
internal static class RunLeftovers
{
    private const string LockSuffix = ".lock";
    private const string LogSuffix = ".jsonl";
    private const int MostNamed = 3;

    /// <summary>The file is of the dead: a draft that never became a file, or a lock of a version that had locks.</summary>
    public static bool IsOne(string path) =>
        path.EndsWith(AtomicFile.DraftSuffix, StringComparison.Ordinal) || path.EndsWith(LockSuffix, StringComparison.Ordinal);

    /// <summary>Removes leases of processes that are gone and, where nobody else is at work, drafts and locks.</summary>
    /// <param name="folder">Run folder.</param>
    /// <param name="leases">Its leases; the caller's own is among them.</param>
    public static void Clear(string folder, LeaseBook leases)
    {
        // Drafts first: one that was there before its maker's lease is seen to be gone is nobody's.
        string[] found = [.. Folders(folder).Where(Directory.Exists).SelectMany(Directory.EnumerateFileSystemEntries).Where(IsOne)];
        foreach (var name in leases.Names()) leases.TryTake(name)?.Dispose();
        if (!leases.IsAlone()) return;
        foreach (var path in found) File.Delete(path);
    }

    /// <summary>Sample logs of trials that a plan does not have, in ordinal order.</summary>
    /// <param name="folder">Run folder.</param>
    /// <param name="planned">Ids of the plan's trials.</param>
    public static IReadOnlyList<(string Trial, string Path)> Logs(string folder, IReadOnlySet<string> planned) =>
        [.. RunPaths.Logs(folder).Where(log => !planned.Contains(log.Trial))];

    /// <summary>What a report does not read of what looks like a run's data, one line a kind.</summary>
    /// <param name="folder">Run folder.</param>
    /// <param name="planned">Ids of the plan's trials.</param>
    public static IEnumerable<string> Unread(string folder, IReadOnlySet<string> planned)
    {
        string[] logs = [.. Logs(folder, planned).Select(log => log.Path)];
        if (logs.Length > 0)
            yield return $"{Named(folder, logs)}: not read, samples of an earlier config; sweep --resume takes from them what it needs";
        var read = JournalReader.Files(folder);
        string[] others =
        [
            .. Entries(folder).Where(path => IsData(path) && !read.Contains(path)),
            .. Entries(RunPaths.Samples(folder)).Where(path => !IsOne(path)).Except(RunPaths.Logs(folder).Select(log => log.Path)),
        ];
        if (others.Length > 0) yield return $"{Named(folder, others)}: not read, no file of a run";
    }

    private static bool IsData(string path) =>
        path.EndsWith(LogSuffix, StringComparison.Ordinal) || path.Contains(".damaged", StringComparison.Ordinal);

    private static string Named(string folder, string[] paths) =>
        string.Join(", ", paths.Take(MostNamed).Select(path => Path.GetRelativePath(folder, path)))
        + (paths.Length > MostNamed ? $" and {paths.Length - MostNamed} more" : "");

    private static string[] Entries(string folder) =>
        Directory.Exists(folder) ? [.. Directory.EnumerateFileSystemEntries(folder).Order(StringComparer.Ordinal)] : [];

    private static string[] Folders(string folder) => [folder, RunPaths.Samples(folder), RunPaths.Leases(folder)];
}
