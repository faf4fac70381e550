using KvPareto.Engine;
using KvPareto.Text.Input;

namespace KvPareto.Tasks.Mmlu;

/// <summary>One subject's questions and examples.</summary>
internal sealed record MmluSubject(string Name, IReadOnlyList<MmluRow> Shots, IReadOnlyList<MmluRow> Rows)
{
    private const string Suffix = "_test.csv";

    /// <summary>The subjects that the options ask for, in ordinal order of their names.</summary>
    /// <exception cref="ConfigException">A subject is not there, or a file is damaged.</exception>
    public static IReadOnlyList<MmluSubject> Read(MmluOptions options)
    {
        var found = Names(options.Folder);
        if (options.Subjects?.FirstOrDefault(subject => !found.Contains(subject)) is { } missing)
            throw MmluOptions.Mistake("subjects", $"has '{missing}', which {options.Folder} has not; allowed: {string.Join(", ", found)}");
        return [.. found.Where(name => options.Subjects?.Contains(name) != false).Select(name => Read(options, name))];
    }

    private static MmluSubject Read(MmluOptions options, string name)
    {
        var dev = Path.Combine(options.Folder, "dev", $"{name}_dev.csv");
        var shots = options.Shots > 0 ? MmluFile.Read(dev, options.Shots) : [];
        if (shots.Count < options.Shots)
            throw new ConfigException(
                $"{dev}: has {CountText.Of(shots.Count, "row")}; allowed: at least the task's {CountText.Of(options.Shots, "shot")}");
        return new(name, shots, MmluFile.Read(Path.Combine(options.Folder, "test", name + Suffix), options.Limit));
    }

    private static List<string> Names(string folder)
    {
        try
        {
            var files = Directory.GetFiles(Path.Combine(folder, "test")).Select(file => Path.GetFileName(file));
            List<string> names =
            [
                .. files.Where(file => file.EndsWith(Suffix, StringComparison.Ordinal)).Select(file => file[..^Suffix.Length])
                    .Order(StringComparer.Ordinal),
            ];
            return names.Count > 0 ? names
                : throw MmluOptions.Mistake("folder", $"names {folder}, which has no subject; allowed: {MmluOptions.FolderWords}");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw MmluOptions.Mistake("folder", $"names {folder}: {OneLine.OfMessage(error.Message)}; allowed: {MmluOptions.FolderWords}");
        }
    }
}
