using KvPareto.Text.Input;

namespace KvPareto.Engine.Cache;

/// <summary>How keys and values are stored: bits and granularity of each, what is done to them before coding, and which tokens and layers
/// stay at 16 bits.</summary>
public sealed record KvSpec
{
    /// <summary>Most tokens that stay at 16 bits at either end.</summary>
    public const int MostPlainTokens = 65536;

    /// <summary>16 bits for both.</summary>
    public static readonly KvSpec Full = new();

    /// <summary>Keys.</summary>
    public SideSpec Keys { get; init; } = SideSpec.Full;

    /// <summary>Values.</summary>
    public SideSpec Values { get; init; } = SideSpec.Full;

    /// <summary>Subtract from every key the per-channel mean of the first append, frozen (KV Pareto's K-smoothing).</summary>
    public bool SmoothKeys { get; init; }

    /// <summary>Rotate keys, or keys and values, by the orthonormal Walsh–Hadamard matrix of the head width before coding.</summary>
    public KvRotation Rotation { get; init; }

    /// <summary>First tokens that stay at 16 bits (attention sinks).</summary>
    public int SinkTokens { get; init; }

    /// <summary>Latest tokens that stay at 16 bits; they are coded when they leave the window.</summary>
    public int RecentTokens { get; init; }

    /// <summary>First and last layers, this many of each, that stay at 16 bits.</summary>
    public int EdgeLayers { get; init; }

    /// <summary>Code keys without their projection's bias: RoPE(Wx) is coded, RoPE(b, position) added when reading.</summary>
    public bool PreBiasKeys { get; init; }

    /// <summary>How codes are fitted to a group's range.</summary>
    public GroupFit Fit { get; init; } = GroupFit.Whole;

    /// <summary>True where keys or values are coded at all.</summary>
    public bool IsCoded => Keys.IsCoded || Values.IsCoded;

    /// <summary>The storage of one layer: at the edges without codes.</summary>
    public KvSpec ForLayer(int layer, int layerCount) =>
        layer < EdgeLayers || layer >= layerCount - EdgeLayers ? this with { Keys = Keys.Uncoded, Values = Values.Uncoded } : this;

    /// <summary>Refuses what a model's shape does not allow.</summary>
    /// <exception cref="ConfigException">A part does not fit; the message names it and what is allowed.</exception>
    public void Validate(KvGeometry geometry)
    {
        var headDim = geometry.HeadDim;
        if (headDim % 4 != 0) throw new ConfigException($"the model's head_dim is {headDim}; allowed: a multiple of 4");
        Keys.Validate("key", headDim);
        Values.Validate("value", headDim);
        if (Rotation != KvRotation.None && !int.IsPow2(headDim))
            throw new ConfigException($"rotation: the model's head_dim is {headDim}; allowed: a power of two");
        Check("sink", SinkTokens, MostPlainTokens);
        Check("recent", RecentTokens, MostPlainTokens);
        Check("edge", EdgeLayers, geometry.LayerCount / 2);
        Fit.Validate();
        if (PreBiasKeys && !geometry.HasKeyBias && geometry.KeyBias is null)
            throw new ConfigException("prebias: the model's keys have no bias; allowed for models with one (Qwen2, Qwen2.5)");
    }

    private static void Check(string part, int value, int most)
    {
        if (value < 0 || value > most) throw new ConfigException($"{part} {value}; allowed: 0 to {most}");
    }
}
