using System.Globalization;
using KvPareto.Text.Input;

namespace KvPareto.Tasks.Synthetic;

/// <summary>Which synthetic samples a task holds.</summary>
public sealed record SyntheticOptions : TaskOptions
{
    /// <summary>Keys as a config may have them.</summary>
    internal const string Example = "kind: …, samples: N, length: N";

    /// <summary>Shortest prompt, in words and punctuation marks.</summary>
    public const int LeastLength = 96;

    /// <summary>Longest prompt, in words and punctuation marks.</summary>
    public const int MostLength = 131_072;

    /// <summary>Most samples of one task.</summary>
    public const int MostCount = 100_000;

    /// <summary>
    /// First seed that is kept for training. Evaluation takes seeds from 0 up to the one before it, and no embedded model has
    /// seen a text of those.
    /// </summary>
    public const int FirstTrainingSeed = 1_000_000;

    /// <summary>What is asked; default <see cref="SyntheticKind.Fact"/>.</summary>
    public SyntheticKind Kind { get; init; }

    /// <summary>Number of samples, 1 … <see cref="MostCount"/>; default 20.</summary>
    public int Count { get; init; } = 20;

    /// <summary>
    /// Length of each prompt, <see cref="LeastLength"/> … <see cref="MostLength"/>; default 500. Counted in words, digits and
    /// punctuation marks, which with the embedded models' tokenizer are tokens within a few percent.
    /// </summary>
    public int Length { get; init; } = 500;

    /// <summary>
    /// Most tokens of a prompt by the model's own tokenizer; <see cref="Length"/> is shortened until every sample keeps to it. Null, the
    /// default, for no such limit.
    /// </summary>
    public int? MaxTokens { get; init; }

    /// <summary>Seed of the samples, 0 … <see cref="FirstTrainingSeed"/> − 1; default 0.</summary>
    public int Seed { get; init; }

    /// <summary>The kind that a config names.</summary>
    /// <exception cref="ConfigException">No kind has this name.</exception>
    public static SyntheticKind ParseKind(string name) => SyntheticKindNames.TryParse(name, out var kind)
        ? kind
        : throw new ConfigException($"kind: '{name}' is unknown; allowed: {string.Join(", ", SyntheticKindNames.All)}");

    /// <summary>Reads a task of a config.</summary>
    internal static SyntheticOptions Read(TaskSection section)
    {
        section.Allow("kind", "samples", "length", "seed");
        return new()
        {
            Kind = ParseKind(section.Require("kind", string.Join(", ", SyntheticKindNames.All)).Word(SyntheticKindNames.All)),
            Count = section.Require("samples", "a number of samples").Integer(1, MostCount),
            Length = section.Length("a length in words", LeastLength, MostLength),
            Seed = section.Find("seed")?.Integer(0, FirstTrainingSeed - 1) ?? section.Seed,
        };
    }

    /// <inheritdoc/>
    public override EvaluationTask Create() => new SyntheticTask(this);

    /// <inheritdoc/>
    public override TaskOptions AtLength(int tokens) => this with { Length = tokens, MaxTokens = tokens };

    /// <inheritdoc/>
    public override void Validate()
    {
        if (!Enum.IsDefined(Kind))
            throw new ConfigException($"kind: {(int)Kind} is unknown; allowed: {string.Join(", ", SyntheticKindNames.All)}");
        Require("count", Count, 1, MostCount);
        Require("length", Length, LeastLength, MostLength);
        Require("seed", Seed, 0, FirstTrainingSeed - 1);
    }

    private static void Require(string key, int value, int least, int most)
    {
        if (value >= least && value <= most) return;
        throw new ConfigException(
            string.Create(CultureInfo.InvariantCulture, $"{key}: {value} is out of range; allowed: {least} to {most}"));
    }
}
