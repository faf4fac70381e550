namespace KvPareto.Engine.Checkpoints.Sources;

/// <summary>Where architectures come from: <c>config.json</c> files of the user's, and those that lie beside the program.</summary>
public static class Architectures
{
    private static readonly string Shipped = Path.Combine(AppContext.BaseDirectory, "configs", "models");

    /// <summary>Names of those that come with the tool, in ordinal order.</summary>
    public static IReadOnlyList<string> Names { get; } = Directory.Exists(Shipped)
        ? [.. Directory.GetFiles(Shipped, "*.json").Select(file => Path.GetFileNameWithoutExtension(file)).Order(StringComparer.Ordinal)]
        : [];

    /// <summary>What may be written for one, for messages.</summary>
    public static string Words { get; } = $"a config.json, a folder with one{string.Concat(Names.Select(name => $", {name}"))}";

    /// <summary>The <c>config.json</c> of <paramref name="architecture"/>: a file, a folder with one, or a shipped name; null where there
    /// is none.</summary>
    public static string? Find(string architecture)
    {
        if (architecture.StartsWith(EmbeddedModels.Prefix, StringComparison.Ordinal)) architecture = EmbeddedModels.Resolve(architecture);
        if (architecture.EndsWith(".json", StringComparison.OrdinalIgnoreCase) && File.Exists(architecture)) return architecture;
        var inFolder = Path.Combine(architecture, "config.json");
        if (architecture.Length > 0 && File.Exists(inFolder)) return inFolder;
        return Names.Contains(architecture) ? Path.Combine(Shipped, architecture + ".json") : null;
    }
}
