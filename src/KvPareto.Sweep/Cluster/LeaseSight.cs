using KvPareto.Sweep.Leases;

namespace KvPareto.Sweep.Cluster;

/// <summary>A lease as somebody sees it who wants none.</summary>
/// <param name="Name">What is leased.</param>
/// <param name="Holder">Who has it, in words.</param>
/// <param name="Age">Time since its last beat; by two machines' clocks, where the folder is another's.</param>
internal sealed record LeaseSight(string Name, string Holder, TimeSpan Age)
{
    /// <summary>The leases of a folder whose holders may be alive, by name; none where it is missing.</summary>
    public static IReadOnlyList<LeaseSight> Read(string folder) => !Directory.Exists(folder) ? [] :
    [
        .. Directory.EnumerateFiles(folder).Select(LeaseFile.TryRead).OfType<LeaseFile>().Where(file => file.Holder?.IsGone() != true)
            .GroupBy(file => file.Name).Select(files => files.MaxBy(file => file.Generation)!)
            .OrderBy(file => file.Name, StringComparer.Ordinal)
            .Select(file => new LeaseSight(
                file.Name, LeaseFile.WordsOf(file.Holder), AgeOf(Lease.PathOf(folder, file.Name, file.Generation)))),
    ];

    private static TimeSpan AgeOf(string path)
    {
        var age = DateTime.UtcNow - File.GetLastWriteTimeUtc(path);
        return age > TimeSpan.Zero ? age : TimeSpan.Zero;
    }
}
