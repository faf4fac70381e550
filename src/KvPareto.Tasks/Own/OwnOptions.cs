using KvPareto.Text.Input;
using KvPareto.Text.Templates;
using KvPareto.Text.Yaml;

namespace KvPareto.Tasks.Own;

/// <summary>
/// A task of a user's own rows. Every key may stand in a file of its own that <c>definition</c> names, in the config, or in both, where the
/// config's counts.
/// </summary>
internal sealed record OwnOptions : TaskOptions
{
    /// <summary>Keys as a config may have them.</summary>
    internal const string Example = "definition: FILE, data: PATH, …";

    private const int DefaultNewTokens = 64;
    private const string DataWords =
        "a JSON Lines file (.jsonl, .jsonl.gz) or a table (.csv, .tsv, .csv.gz, .tsv.gz), or a folder of such files";
    private const string FieldWords = "the name of a field, or a list of names";

    private static readonly string[] Keys =
    [
        "data", "limit", "id", "questions", "answers", "classes", "prompt", "chat", "answer_prefix", "metrics", "max_new_tokens", "stop",
        "first_line", "truncate", "max_length",
    ];

    private static readonly string[] Truncations = ["none", "middle", "left", "right"];

    private static readonly string[] MetricNames = [.. OwnMetric.All.Select(metric => metric.Name)];

    /// <summary>Name of the definition, for a task without one; null where there is no definition.</summary>
    public string? Title { get; init; }

    /// <summary>File or folder of rows; required. Key <c>data</c>.</summary>
    public required string Data { get; init; }

    /// <summary>Only the first so many rows; null for all. Key <c>limit</c>.</summary>
    public int? Limit { get; init; }

    /// <summary>Field of a row's name; null for its place. Key <c>id</c>.</summary>
    public string? Id { get; init; }

    /// <summary>Field of a list of questions, each asked apart; null where a row is one question. Key <c>questions</c>.</summary>
    public string? Questions { get; init; }

    /// <summary>Fields of the right answers, each a text, a number or a list; with questions a list as long as theirs. Key
    /// <c>answers</c>.</summary>
    public required IReadOnlyList<string> Answers { get; init; }

    /// <summary>Field of a list of classes, for the metric <c>class</c>. Key <c>classes</c>.</summary>
    public string? Classes { get; init; }

    /// <summary>Jinja template over the row's fields, <c>question</c> and <c>index</c>; required. Key <c>prompt</c>.</summary>
    public required PromptTemplate Prompt { get; init; }

    /// <summary>Whether the prompt goes through the model's chat template, where it has one. Key <c>chat</c>.</summary>
    public bool Chat { get; init; } = true;

    /// <summary>How the answer begins: the end of the prompt. Key <c>answer_prefix</c>.</summary>
    public string AnswerPrefix { get; init; } = "";

    /// <summary>Names of metrics, the first of which is the score. Key <c>metrics</c>.</summary>
    public required IReadOnlyList<string> Metrics { get; init; }

    /// <summary>Limit on new tokens. Key <c>max_new_tokens</c>.</summary>
    public int MaxNewTokens { get; init; } = DefaultNewTokens;

    /// <summary>Texts that end the answer. Key <c>stop</c>.</summary>
    public IReadOnlyList<string> Stop { get; init; } = [];

    /// <summary>Only the answer's first line counts, line feeds before it dropped. Key <c>first_line</c>.</summary>
    public bool FirstLine { get; init; }

    /// <summary>What goes of a prompt that is too long. Key <c>truncate</c>.</summary>
    public Truncation Truncate { get; init; } = Truncation.Middle;

    /// <summary>Most tokens before the chat template; null for as many as fit. Key <c>max_length</c>.</summary>
    public int? MaxLength { get; init; }

    /// <summary>Reads a task of a config.</summary>
    internal static OwnOptions Read(TaskSection section)
    {
        section.Allow([.. Keys, "definition"]);
        var file = section.FindFile("definition", "a YAML file of a task");
        var layers = file is null ? new Layers(section, null) : new Layers(section, Definition(file, section.Seed));
        return new()
        {
            Title = layers.Below is null ? null : layers.Below.Name ?? Path.GetFileNameWithoutExtension(file),
            Data = layers.Path("data", DataWords),
            Limit = layers.Find("limit")?.Integer(1, TaskSection.MostRows),
            Id = layers.Find("id")?.Text("the name of a field"),
            Questions = layers.Find("questions")?.Text("the name of a field"),
            Answers = Texts(layers.Require("answers", FieldWords), FieldWords),
            Classes = layers.Find("classes")?.Text("the name of a field"),
            Prompt = Template(layers.Require("prompt", "a Jinja template")),
            Chat = layers.Find("chat")?.Boolean() ?? true,
            AnswerPrefix = layers.Find("answer_prefix")?.Text("the beginning of an answer") ?? "",
            Metrics = Words(layers.Require("metrics", "a list of " + string.Join(", ", MetricNames)), MetricNames),
            MaxNewTokens = layers.Find("max_new_tokens")?.Integer(1, TaskSection.MostTokens) ?? DefaultNewTokens,
            Stop = layers.Find("stop") is { } stop ? Texts(stop, "a text, or a list of texts", isBlank: true) : [],
            FirstLine = layers.Find("first_line")?.Boolean() ?? false,
            Truncate = layers.Find("truncate") is { } cut
                ? (Truncation)Array.IndexOf(Truncations, cut.Word(Truncations)) : Truncation.Middle,
            MaxLength = layers.Find("max_length")?.Integer(TruncatedPrompt.SmallestLength, TaskSection.MostTokens),
        };
    }

    /// <inheritdoc/>
    public override EvaluationTask Create() => new OwnTask(this);

    /// <inheritdoc/>
    public override void Validate()
    {
        if (Metrics.Distinct().Count() < Metrics.Count) throw Mistake("metrics", "has a metric twice; allowed: each once");
        if (Metrics.Contains(OwnMetric.Classes) && Classes is null)
            throw Mistake("classes", $"is missing for the metric {OwnMetric.Classes}; allowed: the field of a list of classes");
    }

    internal static ConfigException Mistake(string key, string problem) => new($"task own: key '{key}' {problem}");

    private static TaskSection Definition(string file, int seed)
    {
        var section = new TaskSection(
            new(file, "", YamlTree.Parse(file, YamlFile.ReadText(file))), Path.GetDirectoryName(Path.GetFullPath(file)) ?? ".", seed);
        section.Allow(Keys);
        return section;
    }

    private static PromptTemplate Template(ConfigValue value) => PromptTemplate.Parse(value.Text("a Jinja template"), value.Place);

    private static string[] Texts(ConfigValue value, string words, bool isBlank = false)
    {
        return value.Node is YamlSequence ? [.. value.List(words).Select(One)] : [One(value)];

        string One(ConfigValue item) => isBlank && item.Node is YamlScalar { Text.Length: > 0 } scalar ? scalar.Text : item.Text(words);
    }

    private static string[] Words(ConfigValue value, string[] allowed) =>
        value.Node is YamlSequence ? [.. value.List(string.Join(", ", allowed)).Select(item => item.Word(allowed))] : [value.Word(allowed)];

    /// <summary>What the config says, over what the definition says.</summary>
    private sealed record Layers(TaskSection Above, TaskSection? Below)
    {
        public ConfigValue? Find(string key) => Above.Find(key) ?? Below?.Find(key);

        public ConfigValue Require(string key, string words) => Find(key) ?? (Below ?? Above).Require(key, words);

        public string Path(string key, string words) =>
            (Above.Find(key) is null && Below is not null && Below.Find(key) is not null ? Below : Above).FileOrFolder(key, words);
    }
}
