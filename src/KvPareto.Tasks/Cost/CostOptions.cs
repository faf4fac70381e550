using System.Globalization;
using KvPareto.Text.Input;

namespace KvPareto.Tasks.Cost;

/// <summary>Which made-up prompts a model is measured with.</summary>
public sealed record CostOptions : TaskOptions
{
    /// <summary>Keys as a config may have them.</summary>
    internal const string Example = "length: N, new_tokens: N";

    /// <summary>Longest prompt, and most new tokens.</summary>
    public const int MostTokens = TaskSection.MostTokens;

    private const int MostSamples = 1000;

    /// <summary>Tokens of each prompt, 1 … <see cref="MostTokens"/>.</summary>
    public required int Length { get; init; }

    /// <summary>Tokens made after it, 1 … <see cref="MostTokens"/>; default 32.</summary>
    public int NewTokens { get; init; } = 32;

    /// <summary>Prompts, 1 … 1,000; default 3.</summary>
    public int Count { get; init; } = 3;

    /// <summary>Seed of the prompts; default 0.</summary>
    public int Seed { get; init; }

    /// <summary>Reads a task of a config.</summary>
    internal static CostOptions Read(TaskSection section)
    {
        section.Allow("length", "new_tokens", "samples", "seed");
        var length = section.Length("a number of tokens", 1, MostTokens);
        var options = new CostOptions { Length = length, Seed = section.Seed };
        return options with
        {
            NewTokens = section.Find("new_tokens")?.Integer(1, MostTokens) ?? options.NewTokens,
            Count = section.Find("samples")?.Integer(1, MostSamples) ?? options.Count,
            Seed = section.Find("seed")?.Integer(0, int.MaxValue) ?? options.Seed,
        };
    }

    /// <inheritdoc/>
    public override EvaluationTask Create() => new CostTask(this);

    /// <inheritdoc/>
    public override TaskOptions AtLength(int tokens) => this with { Length = tokens };

    /// <inheritdoc/>
    public override void Validate()
    {
        Require("length", Length, MostTokens);
        Require("new_tokens", NewTokens, MostTokens);
        Require("samples", Count, MostSamples);
    }

    private static void Require(string key, int value, int most)
    {
        if (value >= 1 && value <= most) return;
        throw new ConfigException(string.Create(CultureInfo.InvariantCulture, $"{key}: {value} is out of range; allowed: 1 to {most}"));
    }
}
