using System.Globalization;
using KvPareto.Sweep.Runs;
using KvPareto.Text.Input;

namespace KvPareto.Cli.Parsing;

/// <summary>The folder that a sweep writes to.</summary>
internal static class RunFolderName
{
    private const string DefaultFolder = "runs";
    private const int MostRunsNamed = 8;

    /// <summary>The run folder that the options mean.</summary>
    /// <exception cref="ConfigException">There is nothing to resume.</exception>
    public static string Of(string name, string? folder, bool resume, string? worker)
    {
        folder ??= resume || worker is not null ? Path.Combine(DefaultFolder, name) : FreeFolder(name);
        return resume && worker is null && !Path.Exists(folder) ? throw NothingToResume(folder) : folder;
    }

    /// <summary>A run begun from scratch in a mistyped folder would measure everything again.</summary>
    public static ConfigException NothingToResume(string folder)
    {
        var full = Path.GetFullPath(folder);
        var parent = Path.GetDirectoryName(full);
        var runs = Directory.Exists(parent)
            ? Directory.EnumerateDirectories(parent).Where(RunHistory.IsIn)
                .Order(StringComparer.Ordinal).Take(MostRunsNamed + 1).ToList()
            : [];
        var named = string.Join(", ", runs.Take(MostRunsNamed).Select(found => Path.GetRelativePath(".", found)));
        var allowed = runs.Count == 0 ? "leave out --resume to begin a run"
            : $"{named}{(runs.Count > MostRunsNamed ? ", …" : "")}, or leave out --resume to begin a run";
        return new($"--resume: {folder}: {(Directory.Exists(folder) ? "holds no run" : "there is no such folder")}; allowed: {allowed}");
    }

    private static string FreeFolder(string name)
    {
        var folder = Path.Combine(DefaultFolder, name);
        for (var number = 2; Directory.Exists(folder); number++)
            folder = Path.Combine(DefaultFolder, string.Create(CultureInfo.InvariantCulture, $"{name}-{number}"));
        return folder;
    }
}
