using KvPareto.Sweep.Leases;
using KvPareto.Sweep.Storage;

namespace KvPareto.Sweep.Journaling;

/// <summary>What the dead leave in a run folder.</summary>
internal static class RunLeftovers
{
    private const string LockSuffix = ".lock";

    /// <summary>The file is such a thing: a draft that never became a file, or a lock of a version that had locks.</summary>
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

    private static string[] Folders(string folder) => [folder, RunPaths.Samples(folder), RunPaths.Leases(folder)];
}
