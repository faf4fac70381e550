using System.Globalization;
using System.Text.Json;
using KvPareto.Sweep.Leases;
using KvPareto.Sweep.Storage;

namespace KvPareto.Sweep.Cluster;

/// <summary>A lease as somebody sees it who wants none.</summary>
/// <param name="Name">What is leased.</param>
/// <param name="Holder">Who has it, in words.</param>
/// <param name="Age">Time since its last beat; by two machines' clocks, where the folder is another's.</param>
internal sealed record LeaseSight(string Name, string Holder, TimeSpan Age)
{
    private const int MostBytes = 4096;

    /// <summary>The leases of a folder whose holders may be alive, by name; none where it is missing.</summary>
    public static IReadOnlyList<LeaseSight> Read(string folder)
    {
        if (!Directory.Exists(folder)) return [];
        var seen = new Dictionary<string, (int Generation, LeaseSight Sight)>();
        foreach (var path in Directory.EnumerateFiles(folder))
        {
            if (!int.TryParse(Path.GetExtension(path).TrimStart('.'), NumberStyles.None, CultureInfo.InvariantCulture, out var generation))
                continue;
            using var file = DiskFile.TryOpenRead(path);
            if (file is null) continue;
            var name = Path.GetFileNameWithoutExtension(path);
            if (seen.TryGetValue(name, out var other) && other.Generation > generation) continue;
            var holder = Parse(file);
            if (holder?.IsGone() == true) continue;
            var age = DateTime.UtcNow - File.GetLastWriteTimeUtc(path);
            seen[name] = (generation, new(
                name, holder?.ToString() ?? "a process that is not known", age > TimeSpan.Zero ? age : TimeSpan.Zero));
        }
        return [.. seen.Values.Select(entry => entry.Sight).OrderBy(sight => sight.Name, StringComparer.Ordinal)];
    }

    private static LeaseHolder? Parse(Microsoft.Win32.SafeHandles.SafeFileHandle file)
    {
        var bytes = new byte[MostBytes];
        try
        {
            return JsonSerializer.Deserialize<LeaseHolder>(bytes.AsSpan(0, RandomAccess.Read(file, bytes, 0)));
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
