using KvPareto.Engine;
using KvPareto.Text.Input;

namespace KvPareto.Tasks.Gsm8k;

/// <summary>What a config may say of a GSM8K task.</summary>
internal sealed record Gsm8kOptions : TaskOptions
{
    /// <summary>Most examples of a prompt.</summary>
    public const int MostShots = 64;

    /// <summary>Keys as a config may have them.</summary>
    internal const string Example = "file: PATH, …";

    private const string FileWords = "a JSONL file with the fields question and answer";
    private const int DefaultNewTokens = 256;

    // lm-evaluation-harness's num_fewshot of gsm8k and gsm8k_cot.
    private const int HashShots = 5;
    private const int CotShots = 8;

    /// <summary>JSON Lines file with the fields <c>question</c> and <c>answer</c>, <c>test.jsonl</c>; required. Key <c>file</c>.</summary>
    public required string File { get; init; }

    /// <summary>
    /// The same of the examples: <c>train.jsonl</c>, or for <see cref="Gsm8kFormat.Cot"/> a file whose answers say "The answer is N".
    /// Required where there are examples. Key <c>shots_file</c>.
    /// </summary>
    public string? ShotsFile { get; init; }

    /// <summary>Examples before each question, the first rows of <see cref="ShotsFile"/>; null for <see cref="ShotCount"/>'s default. Key
    /// <c>shots</c>.</summary>
    public int? Shots { get; init; }

    /// <summary>Form of prompts and answers. Key <c>format</c>.</summary>
    public Gsm8kFormat Format { get; init; }

    /// <summary>Whether the prompt goes through the model's chat template, as one user turn. Key <c>chat</c>.</summary>
    public bool Chat { get; init; }

    /// <summary>Only the first so many rows; null for all. Key <c>limit</c>.</summary>
    public int? Limit { get; init; }

    /// <summary>Limit on new tokens. Key <c>max_new_tokens</c>.</summary>
    public int MaxNewTokens { get; init; } = DefaultNewTokens;

    /// <summary>Examples before each question: <see cref="Shots"/>, or else 5, and 8 for <see cref="Gsm8kFormat.Cot"/>.</summary>
    public int ShotCount => Shots ?? (Format == Gsm8kFormat.Cot ? CotShots : HashShots);

    /// <summary>Reads a task of a config.</summary>
    internal static Gsm8kOptions Read(TaskSection section)
    {
        section.Allow("file", "shots_file", "shots", "format", "chat", "limit", "max_new_tokens");
        return new()
        {
            File = section.File("file", FileWords),
            ShotsFile = section.FindFile("shots_file", FileWords),
            Shots = section.Find("shots")?.Integer(0, MostShots),
            Format = section.Find("format")?.Word("hash", "cot") == "cot" ? Gsm8kFormat.Cot : Gsm8kFormat.Hash,
            Chat = section.Find("chat")?.Boolean() ?? false,
            Limit = section.Find("limit")?.Integer(1, TaskSection.MostRows),
            MaxNewTokens = section.Find("max_new_tokens")?.Integer(1, TaskSection.MostTokens) ?? DefaultNewTokens,
        };
    }

    /// <inheritdoc/>
    public override EvaluationTask Create() => new Gsm8kTask(this);

    /// <inheritdoc/>
    public override void Validate()
    {
        if (string.IsNullOrWhiteSpace(File)) throw Mistake("file", "names nothing; allowed: a JSON Lines file");
        if (ShotCount is < 0 or > MostShots) throw Mistake("shots", $"is {Shots}; allowed: 0 to {MostShots}");
        if (ShotCount > 0 && string.IsNullOrWhiteSpace(ShotsFile))
            throw Mistake("shots_file", $"is missing for {CountText.Of(ShotCount, "shot")}; allowed: a JSON Lines file, or shots: 0");
        if (Limit < 1) throw Mistake("limit", $"is {Limit}; allowed: 1 or more");
        if (MaxNewTokens < 1) throw Mistake("max_new_tokens", $"is {MaxNewTokens}; allowed: 1 or more");
    }

    internal static ConfigException Mistake(string key, string problem) => new($"task gsm8k: key '{key}' {problem}");
}
