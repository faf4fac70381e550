using KvPareto.Text.Input;

namespace KvPareto.Engine.Checkpoints.Sources;

/// <summary>
/// Folders of the Hugging Face hub's cache: <c>models--ORG--NAME</c> with <c>refs/main</c>, which names a folder below <c>snapshots</c>;
/// and the cache itself, where it has one model.
/// </summary>
internal static class HubCache
{
    private const string Prefix = "models--";
    private const string Snapshots = "snapshots";
    private const int LongestReference = 256;
    private const int MostShown = 10;

    /// <summary>The model's own folder of <paramref name="folder"/>: the snapshot in use, or the folder itself where it is no
    /// cache.</summary>
    /// <exception cref="ConfigException">It is a cache of none or several models or snapshots, or names a snapshot that is not
    /// there.</exception>
    public static string Resolve(string folder)
    {
        if (File.Exists(Path.Combine(folder, "config.json"))) return folder;
        if (Directory.Exists(Path.Combine(folder, Snapshots))) return Snapshot(folder);
        var hub = Directory.Exists(Path.Combine(folder, "hub")) ? Path.Combine(folder, "hub") : folder;
        var models = Folders(hub, Prefix + "*");
        return models.Length switch
        {
            0 => folder,
            1 => Resolve(models[0]),
            _ => throw new ConfigException($"{folder}: is a hub cache of {models.Length} models; allowed: one of them: {Shown(models)}"),
        };
    }

    /// <summary>A model's name by its folder: of a snapshot that of its model, else the folder's own.</summary>
    public static string NameOf(string folder)
    {
        var full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        var parent = Path.GetDirectoryName(full);
        var owner = Path.GetFileName(parent) == Snapshots ? Path.GetFileName(Path.GetDirectoryName(parent)) ?? "" : "";
        return owner.StartsWith(Prefix, StringComparison.Ordinal) ? owner[(owner.LastIndexOf("--", StringComparison.Ordinal) + 2)..]
            : Path.GetFileName(full);
    }

    private static string Snapshot(string folder)
    {
        var reference = Path.Combine(folder, "refs", "main");
        if (File.Exists(reference))
        {
            var name = System.Text.Encoding.UTF8.GetString(ForeignFile.ReadAll(reference, LongestReference)).Trim();
            var snapshot = Path.Combine(folder, Snapshots, name);
            if (name.Length > 0 && name == Path.GetFileName(name) && name is not (".." or ".") && Directory.Exists(snapshot))
                return snapshot;
            throw new ConfigException(
                $"{reference}: names the snapshot '{OneLine.Of(name)}', which is not there; allowed: "
                    + $"{Shown(Folders(Path.Combine(folder, Snapshots), "*"))}");
        }
        var snapshots = Folders(Path.Combine(folder, Snapshots), "*");
        return snapshots is [var only]
            ? only
            : throw new ConfigException(
                $"{folder}: is a hub cache folder with {snapshots.Length} snapshots and no refs/main; allowed: one of them: "
                    + $"{Shown(snapshots)}");
    }

    private static string[] Folders(string folder, string pattern)
    {
        try
        {
            return [.. Directory.GetDirectories(folder, pattern).Order(StringComparer.Ordinal)];
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ConfigException($"{folder}: cannot be read: {OneLine.OfMessage(error.Message)}", error);
        }
    }

    private static string Shown(string[] folders) =>
        folders.Length == 0 ? "none" : string.Join(", ", folders.Take(MostShown)) + (folders.Length > MostShown ? ", …" : "");
}
