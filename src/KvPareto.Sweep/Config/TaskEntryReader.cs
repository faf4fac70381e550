using KvPareto.Tasks.Fidelity;
using KvPareto.Tasks.Gsm8k;
using KvPareto.Tasks.Metrics.Chinese;
using KvPareto.Tasks.Mmlu;
using KvPareto.Tasks.Niah;
using KvPareto.Tasks.Synthetic;

namespace KvPareto.Sweep.Config;

/// <summary>Reads the <c>tasks</c> list.</summary>
internal static class TaskEntryReader
{
    public const string Words =
        "a list of {task: embedded, kind: …, samples: N, length: N}, {task: longbench, file: PATH, …}, {task: niah, folder: PATH, …}, "
            + "{task: gsm8k, file: PATH, …}, {task: mmlu, folder: PATH, …}, {task: fidelity, text: FILE, …}";

    private const string LengthWords = "a list of prompt lengths in tokens";
    private const string DepthWords = "a list of depths in percent, 0 to 100";
    private const string LongBenchWords = "a LongBench JSONL file";
    private const string Gsm8kWords = "a JSONL file with the fields question and answer";
    private const string MmluWords = "a folder with test/SUBJECT_test.csv and dev/SUBJECT_dev.csv";
    private const string SubjectWords = "a list of subjects, world_religions for example";
    private const int MaxRows = 1_000_000;
    private const int MinLength = 64;
    private const int MaxTokens = 1 << 20;

    private static readonly string[] Kinds = ["embedded", "longbench", "niah", "gsm8k", "mmlu", "fidelity"];
    private static readonly string[] Needles = [.. Needle.BuiltIn.Select(needle => needle.Name)];
    private static readonly string NeedleWords = $"a list of {string.Join(", ", Needles)}";

    /// <summary>The entries in order.</summary>
    /// <param name="value">The list.</param>
    /// <param name="baseFolder">Where relative paths start.</param>
    /// <param name="seed">Seed of embedded tasks that name none of their own.</param>
    public static IReadOnlyList<TaskEntry> Read(ConfigValue value, string baseFolder, int seed) =>
        [.. value.List(Words).Select(item => ReadOne(item, baseFolder, seed))];

    private static TaskEntry ReadOne(ConfigValue value, string baseFolder, int seed)
    {
        var kind = Kind(value);
        return kind switch
        {
            "embedded" => Embedded(value, value.Map("task", "name", "kind", "samples", "length", "seed"), seed),
            "longbench" =>
                LongBench(value, value.Map("task", "name", "file", "limit", "max_length", "max_new_tokens", "jieba"), baseFolder),
            "gsm8k" => Gsm8k(
                value, value.Map("task", "name", "file", "shots_file", "shots", "format", "chat", "limit", "max_new_tokens"), baseFolder),
            "mmlu" => Mmlu(value, value.Map("task", "name", "folder", "subjects", "shots", "limit"), baseFolder),
            "fidelity" => Fidelity(value, value.Map("task", "name", "text", "tokens", "window"), baseFolder),
            _ => Niah(value, value.Map("task", "name", "folder", "lengths", "depths", "needles", "max_new_tokens"), baseFolder),
        };
    }

    private static string Kind(ConfigValue value)
    {
        if (value.Node is not YamlMapping map) throw value.Error("is no task", Words);
        return new ConfigMap(value, map).Require("task", string.Join(", ", Kinds)).Word(Kinds);
    }

    private static EmbeddedTaskEntry Embedded(ConfigValue value, ConfigMap map, int seed) => new(
        Name(map),
        Place(value),
        map.Require("kind", "fact, two-hop, count, label").Word("fact", "two-hop", "count", "label"),
        map.Require("samples", "a number of samples").Integer(1, SyntheticOptions.MostCount),
        map.Require("length", "a length in words").Integer(SyntheticOptions.LeastLength, SyntheticOptions.MostLength),
        map.Find("seed")?.Integer(0, SweepConfigReader.MaxSeed) ?? seed);

    private static LongBenchTaskEntry LongBench(ConfigValue value, ConfigMap map, string baseFolder) => new(
        Name(map),
        Place(value),
        ExistingFile(map.Require("file", LongBenchWords), baseFolder, LongBenchWords),
        map.Find("limit")?.Integer(1, MaxRows),
        map.Find("max_length")?.Integer(MinLength, MaxTokens),
        map.Find("max_new_tokens")?.Integer(1, MaxTokens),
        map.Find("jieba") is { } jieba ? ExistingFolder(jieba, baseFolder, ChineseSegmenter.FolderWords) : null);

    private static Gsm8kTaskEntry Gsm8k(ConfigValue value, ConfigMap map, string baseFolder) => new(
        Name(map),
        Place(value),
        ExistingFile(map.Require("file", Gsm8kWords), baseFolder, Gsm8kWords),
        map.Find("shots_file") is { } shots ? ExistingFile(shots, baseFolder, Gsm8kWords) : null,
        map.Find("shots")?.Integer(0, Gsm8kOptions.MostShots),
        map.Find("format")?.Word("hash", "cot") == "cot" ? Gsm8kFormat.Cot : Gsm8kFormat.Hash,
        map.Find("chat")?.Boolean() ?? false,
        map.Find("limit")?.Integer(1, MaxRows),
        map.Find("max_new_tokens")?.Integer(1, MaxTokens));

    private static NiahTaskEntry Niah(ConfigValue value, ConfigMap map, string baseFolder)
    {
        var folder = map.Require("folder", "a folder of text files");
        var path = ConfigPath.Resolve(folder, baseFolder);
        if (!Directory.Exists(path) && !File.Exists(path))
            throw folder.Error($"names '{path}', which does not exist", "a folder of text files, or one text file");
        return new(
            Name(map),
            Place(value),
            path,
            [.. map.Require("lengths", LengthWords).List(LengthWords).Select(item => item.Integer(MinLength, MaxTokens))],
            map.Find("depths") is { } depths ? [.. depths.List(DepthWords).Select(item => item.Number(0, 100))] : null,
            map.Find("needles") is { } needles ? [.. needles.List(NeedleWords).Select(item => item.Word(Needles))] : null,
            map.Find("max_new_tokens")?.Integer(1, MaxTokens));
    }

    private static MmluTaskEntry Mmlu(ConfigValue value, ConfigMap map, string baseFolder) => new(
        Name(map),
        Place(value),
        ExistingFolder(map.Require("folder", MmluWords), baseFolder, MmluWords),
        map.Find("subjects") is { } subjects ? [.. subjects.List(SubjectWords).Select(item => item.Text(SubjectWords))] : null,
        map.Find("shots")?.Integer(0, MmluOptions.MostShots),
        map.Find("limit")?.Integer(1, MaxRows));

    private static FidelityTaskEntry Fidelity(ConfigValue value, ConfigMap map, string baseFolder) => new(
        Name(map),
        Place(value),
        ExistingFile(map.Require("text", "a text file"), baseFolder, "a text file"),
        map.Find("tokens")?.Integer(2, FidelityOptions.MostTokens),
        map.Find("window")?.Integer(2, FidelityOptions.MostTokens));

    private static string ExistingFile(ConfigValue value, string baseFolder, string words)
    {
        var path = ConfigPath.Resolve(value, baseFolder);
        return File.Exists(path) ? path : throw value.Error($"names '{path}', which does not exist", words);
    }

    private static string ExistingFolder(ConfigValue value, string baseFolder, string words)
    {
        var path = ConfigPath.Resolve(value, baseFolder);
        return Directory.Exists(path) ? path : throw value.Error($"names '{path}', which does not exist", words);
    }

    private static string? Name(ConfigMap map) => map.Find("name")?.Text("any text");

    private static string Place(ConfigValue value) => $"{value.File}:{value.Node.Line}: key '{value.Key}'";
}
