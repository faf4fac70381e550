using System.Reflection;
using System.Text;
using KvPareto.Engine.Settings;
using KvPareto.Sweep.Search;
using KvPareto.Tasks;
using KvPareto.Text.Input;
using KvPareto.Text.Templates;
using KvPareto.Text.Yaml;

namespace KvPareto.Sweep.Config;

/// <summary>What a user wants swept: models, tasks and settings. Made from YAML; docs/config.md describes the keys.</summary>
public sealed record SweepConfig
{
    private const string QuickstartResource = "quickstart.yaml";

    /// <summary>Name of the sweep, the title of its reports.</summary>
    public required string Name { get; init; }

    /// <summary>Seed of the embedded tasks' samples and of the reports' resampling.</summary>
    public required int Seed { get; init; }

    /// <summary>Models in the config's order.</summary>
    public required IReadOnlyList<ModelEntry> Models { get; init; }

    /// <summary>The setting that all others are compared with; always run, and first.</summary>
    public required InferenceSetting Baseline { get; init; }

    /// <summary>Lengths of prompts, in tokens, that the tasks are made to, each giving trials of its own; empty for the tasks' own
    /// lengths.</summary>
    public IReadOnlyList<int> Contexts { get; init; } = [];

    /// <summary>How often the baseline is measured again, to tell how far its figures move by themselves.</summary>
    public int BaselineRepeats { get; init; }

    /// <summary>Generations of each sample; the times are their medians.</summary>
    public required int Repeats { get; init; }

    /// <summary>First samples of a trial whose times do not count.</summary>
    public required int WarmUp { get; init; }

    /// <summary>Samples that are answered together, at the most, where the device answers each as it would alone.</summary>
    public int BatchSize { get; init; } = 1;

    /// <summary>Whether what a prompt has in common with the one before is read once, where the device can copy caches.</summary>
    public bool PrefixCaching { get; init; }

    /// <summary>The YAML text, for provenance.</summary>
    public required string Source { get; init; }

    /// <summary>Variables and date of the models' chat templates.</summary>
    public TemplateSettings Template { get; init; } = TemplateSettings.Default;

    /// <summary>How it is chosen what is measured.</summary>
    internal SearchOptions Search { get; init; } = new ExhaustiveOptions { Seed = 0 };

    /// <summary>Where the text comes from; null where it has no place.</summary>
    public ConfigOrigin? Origin { get; init; }

    internal IReadOnlyList<TaskOptions> Tasks { get; init; } = [];

    internal SweepAxes? Axes { get; init; }

    /// <summary>Settings named one by one, which no include or exclude touches.</summary>
    internal IReadOnlyList<InferenceSetting> Settings { get; init; } = [];

    internal IReadOnlyList<SettingMatch> Include { get; init; } = [];

    internal IReadOnlyList<SettingMatch> Exclude { get; init; } = [];

    /// <summary>A mistake in a key that only the whole config shows.</summary>
    internal ConfigException Error(string key, string problem, string allowed) => new($"{PlaceOf(key)} {problem}; allowed: {allowed}");

    /// <summary>File, line and key, for messages.</summary>
    internal string PlaceOf(string key) => Origin is { } origin
        ? $"{origin.File}{(origin.Lines.TryGetValue(key, out var line) ? $":{line}" : "")}: key '{key}'"
        : $"{Name}: key '{key}'";

    /// <summary>Reads a YAML file.</summary>
    /// <param name="file">Path; messages name it as given.</param>
    /// <param name="models">Folders or embedded names that stand in for the config's own models; empty for none.</param>
    /// <exception cref="ConfigException">The file is missing, or something in it is wrong: file, line, key and what is allowed.</exception>
    public static SweepConfig Load(string file, params IReadOnlyList<string> models) => LoadFile(file, models, needsTasks: true);

    /// <summary>Reads a YAML file for its models and settings; it may do without tasks.</summary>
    /// <param name="file">Path; messages name it as given.</param>
    /// <exception cref="ConfigException">As for <see cref="Load"/>.</exception>
    public static SweepConfig LoadForPlan(string file) => LoadFile(file, [], needsTasks: false);

    /// <summary>The sweep that runs where no config is named: embedded models on embedded tasks.</summary>
    /// <param name="models">Folders or embedded names that stand in for the config's own models; empty for none.</param>
    public static SweepConfig Quickstart(params IReadOnlyList<string> models)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(QuickstartResource)
            ?? throw new InvalidOperationException($"{QuickstartResource} is not embedded");
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return SweepConfigReader.Read(QuickstartResource, reader.ReadToEnd(), Directory.GetCurrentDirectory(), models);
    }

    private static SweepConfig LoadFile(string file, IReadOnlyList<string> models, bool needsTasks)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(file)) ?? ".";
        return SweepConfigReader.Read(file, YamlFile.ReadText(file), folder, models, needsTasks);
    }
}
