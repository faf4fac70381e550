using System.Text.RegularExpressions;
using KvPareto.Engine.Checkpoints.Sources;
using KvPareto.Engine.Settings;
using KvPareto.Sweep.Results;
using KvPareto.Sweep.Search;
using KvPareto.Text.Templates;
using KvPareto.Tasks.Catalog;
using KvPareto.Tasks.Synthetic;
using KvPareto.Text.Input;
using KvPareto.Text.Yaml;

namespace KvPareto.Sweep.Config;

/// <summary>YAML to <see cref="SweepConfig"/>, strictly: unknown keys, wrong types and values out of range are refused.</summary>
internal static partial class SweepConfigReader
{
    private static readonly string[] TopKeys =
        ["name", "seed", "models", "tasks", "axes", "settings", "include", "exclude", "baseline", "baseline_repeats", "timing",
            "template", "contexts", "search", "batch_size", "prefix_caching"];

    private const int MostContext = 1 << 20;
    private const int MostBatchSize = 1024;

    // Larger seeds are those of the embedded models' training texts.
    public const int MaxSeed = SyntheticOptions.FirstTrainingSeed - 1;

    private const string BaselineName = "w16a16-k16v16";
    private const string ModelWords =
        "a Hugging Face folder, a .gguf file, embedded:llama, embedded:qwen2 or embedded:mistral, or {name: NAME, path: PATH, weights: "
            + "[w16, …]}";
    private const string ModelListWords = "a list of models, each " + ModelWords;

    /// <summary>Reads a config.</summary>
    /// <param name="file">Its name in messages.</param>
    /// <param name="text">YAML.</param>
    /// <param name="baseFolder">Where relative paths start.</param>
    /// <param name="models">What stands in for the config's models; empty for nothing.</param>
    /// <param name="needsTasks">Whether a config without tasks is a mistake.</param>
    public static SweepConfig Read(string file, string text, string baseFolder, IReadOnlyList<string> models, bool needsTasks = true)
    {
        var top = new ConfigValue(file, "", YamlTree.Parse(file, text)).Map(TopKeys);
        var seed = top.Find("seed")?.Integer(0, MaxSeed) ?? 1;
        var weights = new WeightListReader(baseFolder);
        var axes = top.Find("axes") is { } map ? SweepAxes.Read(map, weights) : null;
        var contexts = ReadContexts(top);
        var timing = top.Find("timing")?.Map("repeats", "warmup");
        var config = new SweepConfig
        {
            Name = top.Find("name") is { } name ? ReadName(name) : NameOf(file),
            Seed = seed,
            Models = [.. (models.Count > 0 ? models.Select(FromOption)
                : ReadModels(top.Require("models", ModelListWords), baseFolder, weights)).Select(model => WithVariants(model, axes))],
            Tasks = top.Find("tasks") is null && !needsTasks ? []
                : TaskCatalog.Read(top.Require("tasks", TaskCatalog.Words), baseFolder, seed, contexts is [var first, ..] ? first : null),
            Axes = axes,
            Settings = ReadList(top, "settings", "short names such as w4a16-k8v4-t64-c256", ReadSetting),
            Include = ReadList(top, "include", "patterns", SettingMatch.Read),
            Exclude = ReadList(top, "exclude", "patterns", SettingMatch.Read),
            Baseline = top.Find("baseline") is { } baseline ? ReadSetting(baseline) : InferenceSetting.Parse(BaselineName),
            Contexts = contexts,
            BaselineRepeats = top.Find("baseline_repeats")?.Integer(0, 100) ?? 0,
            Repeats = timing?.Find("repeats")?.Integer(1, 1000) ?? 1,
            WarmUp = timing?.Find("warmup")?.Integer(0, 1000) ?? 1,
            BatchSize = top.Find("batch_size")?.Integer(1, MostBatchSize) ?? 1,
            PrefixCaching = top.Find("prefix_caching")?.Boolean() ?? false,
            Template = top.Find("template") is { } template ? TemplateReader.Read(template) : TemplateSettings.Default,
            Search = SearchReader.Read(top.Find("search"), seed),
            Source = text,
            Origin = new(
                file, baseFolder, [.. models.Select(model => IsPath(model) ? Path.GetFullPath(model) : model)], top.Mapping.KeyLines),
        };
        Check(config, top);
        return config;
    }

    private static void Check(SweepConfig config, ConfigMap top)
    {
        if (config.Baseline.Chunk == InferenceSetting.AutoChunk)
            throw top.Require("baseline", "").Error("has the chunk auto, which another memory would change", "a chunk cN, or none");
        if (config.Axes is null && config.Settings.Count == 0 && config.Models.Any(model => model.Weights is null))
            throw top.Place.Error("has neither 'axes' nor 'settings'",
                $"axes with keys {string.Join(", ", SettingAxes.Keys)}, or settings with short names");
        if (config.Axes is null && config.Models.All(model => model.Weights is null)
            && config.Include.Concat(config.Exclude).FirstOrDefault() is { } pattern)
            throw pattern.Place.Error("has no axes to choose from", "include and exclude beside 'axes'");
        if (config.Models.GroupBy(model => model.Name).FirstOrDefault(group => group.Count() > 1) is { } twice)
            throw new ConfigException($"{twice.Last().Place} is a second model named '{twice.Key}'"
                + $"; allowed: names of their own, {{name: NAME, path: FOLDER}}");
    }

    private static List<int> ReadContexts(ConfigMap top)
    {
        const string Words = "numbers of tokens, each once, k for 1,000: [4k, 10k, 32k]";
        if (top.Find("contexts") is not { } list) return [];
        var contexts = new List<int>();
        foreach (var item in list.List(Words))
        {
            var text = item.Text(Words);
            var tokens = ContextText.TryParse(text, MostContext) ?? throw item.Error($"is '{ConfigValue.Shorten(text)}'", Words);
            if (contexts.Contains(tokens)) throw item.Error($"is {ContextText.Of(tokens)} again", Words);
            contexts.Add(tokens);
        }
        return contexts;
    }

    // The command line makes a folder of it.
    private static string ReadName(ConfigValue value)
    {
        const string Allowed = "1 to 80 letters, digits, blanks, '.', '_' and '-', a letter or digit first";
        var name = value.Text(Allowed);
        return NamePattern().IsMatch(name) ? name : throw value.Error($"is '{name}'", Allowed);
    }

    // Of ".yaml" no folder could be made, and of "...yaml" one would be the folder above.
    private static string NameOf(string file) =>
        Path.GetFileNameWithoutExtension(file) is var name && name.Trim('.').Length > 0 ? name : "sweep";

    // A model without a list of its own takes the variants of the axes.
    private static ModelEntry WithVariants(ModelEntry model, SweepAxes? axes) =>
        model.Weights is null && axes is { Variants.Count: > 0 } ? model with { Variants = axes.Variants } : model;

    private static List<ModelEntry> ReadModels(ConfigValue list, string baseFolder, WeightListReader weights)
    {
        return [.. list.List(ModelListWords).Select(Read)];

        ModelEntry Read(ConfigValue value)
        {
            if (value.Node is YamlScalar) return FromValue(value, null);
            var map = value.Map("name", "path", "weights");
            var model = FromValue(map.Require("path", ModelWords), map.Find("name")?.Text("any text"));
            if (map.Find("weights") is not { } own) return model;
            var (values, variants) = weights.Read(own);
            return model with { Weights = values, Variants = variants };
        }

        ModelEntry FromValue(ConfigValue value, string? name)
        {
            var text = value.Text(ModelWords);
            return IsPath(text)
                ? FromPath(ConfigPath.Resolve(value, baseFolder, ", or name a model with --model"), name, value.Place)
                : Opened(text, name, value.Place);
        }
    }

    private static ModelEntry FromOption(string model) =>
        IsPath(model) ? FromPath(Path.GetFullPath(model), null, "--model") : Opened(model, null, "--model");

    // What is not a path begins with the kind of its source.
    private static bool IsPath(string model) => !model.StartsWith(EmbeddedModels.Prefix, StringComparison.Ordinal)
        && !model.StartsWith(ModelSource.RandomPrefix, StringComparison.Ordinal);

    private static ModelEntry FromPath(string path, string? name, string place) => Path.Exists(path)
        ? Opened(path, name, place)
        : throw new ConfigException($"{place} names '{path}', which does not exist; allowed: {ModelWords}");

    private static ModelEntry Opened(string model, string? name, string place)
    {
        try
        {
            var source = ModelSource.Open(model);
            return new(name ?? source.Name, model, place);
        }
        catch (ConfigException e)
        {
            throw new ConfigException($"{place}: {e.Message}", e);
        }
    }

    private static IReadOnlyList<T> ReadList<T>(ConfigMap map, string key, string words, Func<ConfigValue, T> read) =>
        map.Find(key) is { } list ? [.. list.List($"a list of {words}").Select(read)] : [];

    private static InferenceSetting ReadSetting(ConfigValue value)
    {
        var name = value.Text("a short name such as w4a16-k8v4-t64-c256");
        try
        {
            return InferenceSetting.Parse(name);
        }
        catch (ConfigException e)
        {
            throw new ConfigException($"{value.Place}: {e.Message}", e);
        }
    }

    [GeneratedRegex(@"\A[\p{L}\p{N}][\p{L}\p{N} ._-]{0,79}\z")]
    private static partial Regex NamePattern();
}
