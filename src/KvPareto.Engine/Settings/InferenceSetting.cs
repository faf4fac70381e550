using KvPareto.Engine.Cache;
using KvPareto.Engine.Model;
using KvPareto.Engine.Seam;
using KvPareto.Text.Input;

namespace KvPareto.Engine.Settings;

/// <summary>One point of the search space: how weights and cache are stored and how the prompt is fed.</summary>
public sealed record InferenceSetting
{
    /// <summary>Weight precision.</summary>
    public WeightSpec Weights { get; init; } = WeightSpec.Full;

    /// <summary>Cache storage.</summary>
    public KvSpec Cache { get; init; } = KvSpec.Full;

    /// <summary>A chunk that is not known yet: the largest one whose peak is within the memory that there is.</summary>
    public const int AutoChunk = 0;

    /// <summary>Most tokens of a chunk; a short name says no more.</summary>
    public const int MostChunk = 1_000_000;

    /// <summary>Tokens of one prefill step; null feeds the prompt whole, and <see cref="AutoChunk"/> is to be resolved before it
    /// runs.</summary>
    public int? Chunk { get; init; }

    /// <summary>Attention kernel.</summary>
    public AttentionKernel Attention { get; init; } = AttentionKernel.Flash;

    /// <summary>The same with a chunk in place of its own.</summary>
    /// <param name="tokens">Tokens of it; 0 feeds the prompt whole, null leaves the setting as it is.</param>
    /// <param name="option">What says so, for messages.</param>
    /// <exception cref="ConfigException">It is negative, or above <see cref="MostChunk"/>.</exception>
    public InferenceSetting WithChunk(int? tokens, string option) => tokens switch
    {
        null => this,
        0 => this with { Chunk = null },
        > 0 and <= MostChunk => this with { Chunk = tokens },
        _ => throw new ConfigException($"{option} {tokens}; allowed: 0 for the whole prompt, or 1 to {MostChunk} tokens"),
    };

    /// <summary>Tokens of the largest prefill step of a prompt.</summary>
    /// <exception cref="ConfigException">The chunk is not resolved.</exception>
    public int StepTokens(int promptTokens) => Chunk == AutoChunk
        ? throw new ConfigException($"setting {Name}: the chunk auto is known to sweeps alone; allowed: none, or a number of tokens")
        : Math.Min(Chunk ?? promptTokens, promptTokens);

    /// <summary>The short name, for example <c>w4a16-k8v4-t64-smooth-c256</c>; <see cref="Parse"/> reads it back.</summary>
    public string Name => SettingName.Format(this);

    /// <summary>Reads a short name.</summary>
    /// <exception cref="ConfigException">A part is unknown, missing or repeated; the message names it and what is allowed.</exception>
    public static InferenceSetting Parse(string name) => SettingName.Parse(name);

    /// <summary>The same for a model: the default group of coded weights falls to one that divides its widths, and the name says
    /// so.</summary>
    public InferenceSetting For(ModelConfig config) => this with { Weights = Weights.For(config) };

    /// <inheritdoc/>
    public override string ToString() => Name;
}
