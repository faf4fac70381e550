using KvPareto.Text.Input;

namespace KvPareto.Tasks.Ruler;

/// <summary>What a config may say of a RULER task.</summary>
internal sealed record RulerOptions : TaskOptions
{
    /// <summary>Keys as a config may have them.</summary>
    internal const string Example = "kind: …, length: N, samples: N, …";

    private const int LeastLength = 256;
    private const int DefaultSamples = 100;
    private const string EssayWords = "a folder of text files, or one text file (RULER takes Paul Graham's essays)";

    /// <summary>RULER's name of the task, one of <see cref="RulerKind.All"/>; required. Key <c>kind</c>.</summary>
    public required string Kind { get; init; }

    /// <summary>
    /// Most tokens of prompt and answer together, chat template included, by the model's own tokenizer; the prompt is as long as this
    /// allows. Required. Key <c>length</c>.
    /// </summary>
    public required int Length { get; init; }

    /// <summary>Questions. Key <c>samples</c>.</summary>
    public int Samples { get; init; } = DefaultSamples;

    /// <summary>Seed of the questions. Key <c>seed</c>; where it is absent, the config's.</summary>
    public int Seed { get; init; }

    /// <summary>Text that needles are hidden in, where the kind takes one. Key <c>haystack</c>.</summary>
    public string? Haystack { get; init; }

    /// <summary>Whether the prompt goes through the model's chat template, where it has one. Key <c>chat</c>.</summary>
    public bool Chat { get; init; } = true;

    /// <summary>Limit on new tokens in place of RULER's; null for that. Key <c>max_new_tokens</c>.</summary>
    public int? MaxNewTokens { get; init; }

    /// <summary>Reads a task of a config.</summary>
    internal static RulerOptions Read(TaskSection section)
    {
        section.Allow("kind", "length", "samples", "seed", "haystack", "chat", "max_new_tokens");
        string[] kinds = [.. RulerKind.All.Select(kind => kind.Name)];
        return new()
        {
            Kind = section.Require("kind", string.Join(", ", kinds)).Word(kinds),
            Length = section.Length("tokens of prompt and answer", LeastLength, TaskSection.MostTokens),
            Samples = section.Find("samples")?.Integer(1, TaskSection.MostRows) ?? DefaultSamples,
            Seed = section.Find("seed")?.Integer(0, int.MaxValue) ?? section.Seed,
            Haystack = section.Find("haystack") is null ? null : section.FileOrFolder("haystack", EssayWords),
            Chat = section.Find("chat")?.Boolean() ?? true,
            MaxNewTokens = section.Find("max_new_tokens")?.Integer(1, TaskSection.MostTokens),
        };
    }

    /// <inheritdoc/>
    public override EvaluationTask Create() => new RulerTask(this);

    /// <inheritdoc/>
    public override TaskOptions AtLength(int tokens) => this with { Length = tokens };

    /// <inheritdoc/>
    public override void Validate()
    {
        if (RulerKind.All.FirstOrDefault(kind => kind.Name == Kind) is not { } found)
            throw Mistake("kind", $"is '{Kind}'; allowed: {string.Join(", ", RulerKind.All.Select(kind => kind.Name))}");
        if (Length is < LeastLength or > TaskSection.MostTokens)
            throw Mistake("length", $"is {Length}; allowed: {LeastLength} to {TaskSection.MostTokens}");
        if (Samples < 1) throw Mistake("samples", $"is {Samples}; allowed: 1 or more");
        if (MaxNewTokens < 1) throw Mistake("max_new_tokens", $"is {MaxNewTokens}; allowed: 1 or more");
        if (found.NeedsEssay && string.IsNullOrWhiteSpace(Haystack))
            throw Mistake("haystack", $"is missing for {Kind}; allowed: {EssayWords}");
    }

    internal static ConfigException Mistake(string key, string problem) => new($"task ruler: key '{key}' {problem}");
}
