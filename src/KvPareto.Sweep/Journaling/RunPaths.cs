using KvPareto.Sweep.Results;

namespace KvPareto.Sweep.Journaling;

/// <summary>Where things stand in a run folder.</summary>
internal static class RunPaths
{
    private const string SamplesFolder = "samples";
    private const string LogSuffix = ".jsonl";
    private const int TokenLength = 8;

    /// <summary>The folder of the sample logs.</summary>
    public static string Samples(string folder) => Path.Combine(folder, SamplesFolder);

    /// <summary>The sample log of a trial.</summary>
    public static string Samples(string folder, string trialId) => Path.Combine(folder, SamplesFolder, trialId + LogSuffix);

    /// <summary>A new name for the log of one that helps with a trial. None is ever used again, so that nobody can take another's file
    /// away.</summary>
    public static string NewHelperLog(string folder, string trialId) =>
        Path.Combine(folder, SamplesFolder, $"{trialId}-{Guid.NewGuid().ToString("N")[..TokenLength]}{LogSuffix}");

    /// <summary>The logs of helpers that there are, by trial, each trial's in ordinal order.</summary>
    public static ILookup<string, string> HelperLogs(string folder) => Logs(folder)
        .Where(log => log.Path != Samples(folder, log.Trial)).ToLookup(log => log.Trial, log => log.Path);

    /// <summary>Those of one trial, in ordinal order.</summary>
    public static IReadOnlyList<string> HelperLogs(string folder, string trialId)
    {
        var samples = Samples(folder);
        if (!Directory.Exists(samples)) return [];
        return
        [
            .. Directory.EnumerateFileSystemEntries(samples, $"{trialId}-*{LogSuffix}").Where(path => TrialOf(path) == trialId)
                .Order(StringComparer.Ordinal),
        ];
    }

    /// <summary>All sample logs that there are and the trials that they are of, in ordinal order.</summary>
    public static IReadOnlyList<(string Trial, string Path)> Logs(string folder)
    {
        var samples = Samples(folder);
        if (!Directory.Exists(samples)) return [];
        return
        [
            .. Directory.EnumerateFileSystemEntries(samples).Order(StringComparer.Ordinal)
                .Select(path => (Trial: TrialOf(path), path)).Where(log => log.Trial is not null).Select(log => (log.Trial!, log.path)),
        ];
    }

    /// <summary>The folder of the leases.</summary>
    public static string Leases(string folder) => Path.Combine(folder, "leases");

    /// <summary>The trial that a lease is of a part of, by the lease's name; null where it is of something else.</summary>
    public static string? TrialOfRange(string lease) =>
        lease.Length > TextHash.IdLength && lease[TextHash.IdLength] == '-' && TextHash.IsId(lease[..TextHash.IdLength])
            ? lease[..TextHash.IdLength] : null;

    /// <summary>The trial that a sample log is of by its name; null where it is none.</summary>
    private static string? TrialOf(string path)
    {
        if (Path.GetExtension(path) != LogSuffix) return null;
        var name = Path.GetFileNameWithoutExtension(path);
        var trial = name[..Math.Min(name.Length, TextHash.IdLength)];
        var rest = name[trial.Length..];
        var isHelpers = rest.Length == 1 + TokenLength && rest[0] == '-' && rest[1..].All(char.IsAsciiHexDigitLower);
        return TextHash.IsId(trial) && (rest.Length == 0 || isHelpers) ? trial : null;
    }
}
