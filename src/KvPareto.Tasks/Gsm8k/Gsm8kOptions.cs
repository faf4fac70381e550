using KvPareto.Text.Input;

namespace KvPareto.Tasks.Gsm8k;

/// <summary>What a config may say of a GSM8K task.</summary>
public sealed record Gsm8kOptions
{
    /// <summary>Most examples of a prompt.</summary>
    public const int MostShots = 64;

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
    public int MaxNewTokens { get; init; } = 256;

    /// <summary>Examples before each question: <see cref="Shots"/>, or else 5, and 8 for <see cref="Gsm8kFormat.Cot"/>.</summary>
    public int ShotCount => Shots ?? (Format == Gsm8kFormat.Cot ? CotShots : HashShots);

    /// <summary>Checks what can be checked without the files.</summary>
    /// <exception cref="ConfigException">Names the key and what is allowed.</exception>
    public void Validate()
    {
        if (string.IsNullOrWhiteSpace(File)) throw Mistake("file", "names nothing; allowed: a JSON Lines file");
        if (ShotCount is < 0 or > MostShots) throw Mistake("shots", $"is {Shots}; allowed: 0 to {MostShots}");
        if (ShotCount > 0 && string.IsNullOrWhiteSpace(ShotsFile))
            throw Mistake("shots_file", $"is missing for {ShotCount} shots; allowed: a JSON Lines file, or shots: 0");
        if (Limit < 1) throw Mistake("limit", $"is {Limit}; allowed: 1 or more");
        if (MaxNewTokens < 1) throw Mistake("max_new_tokens", $"is {MaxNewTokens}; allowed: 1 or more");
    }

    internal static ConfigException Mistake(string key, string problem) => new($"task gsm8k: key '{key}' {problem}");
}
