using KvPareto.Text.Input;

namespace KvPareto.Engine.Checkpoints.Sources;

/// <summary>The small models that come with the tool, so that the main job needs no download.</summary>
public static class EmbeddedModels
{
    /// <summary>What their names begin with.</summary>
    public const string Prefix = "embedded:";

    private static readonly string[] Families = ["llama", "qwen2", "mistral"];

    /// <summary>Their names.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Families.Select(family => Prefix + family)];

    /// <summary>The folder of <paramref name="model"/>: of an embedded model's name its own, of any other text the text itself.</summary>
    /// <exception cref="ConfigException">There is no such embedded model, or its files do not lie beside the program.</exception>
    public static string Resolve(string model)
    {
        if (!model.StartsWith(Prefix, StringComparison.Ordinal)) return model;
        var family = model[Prefix.Length..];
        if (!Families.Contains(family))
            throw new ConfigException($"model '{model}' is not embedded; allowed: {string.Join(", ", Names)}, or a folder");
        var folder = Path.Combine(AppContext.BaseDirectory, "models", family);
        return Directory.Exists(folder)
            ? folder
            : throw new ConfigException($"model '{model}': its folder models/{family} is missing beside the program");
    }
}
