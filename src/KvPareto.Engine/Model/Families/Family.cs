using System.Collections.Immutable;

namespace KvPareto.Engine.Model.Families;

/// <summary>Which linear layers of attention have a bias.</summary>
internal enum BiasRule
{
    /// <summary>None.</summary>
    Never,

    /// <summary>Those of q, k and v.</summary>
    Always,

    /// <summary>Those of q, k, v and o where <c>attention_bias</c> says so.</summary>
    ByKey,
}

/// <summary>Which layers see only the latest tokens.</summary>
internal enum WindowRule
{
    /// <summary>None, whatever the configuration says.</summary>
    Never,

    /// <summary>All, or those of <c>layer_types</c>, where <c>sliding_window</c> is given.</summary>
    ByKey,

    /// <summary>Those from <c>max_window_layers</c> on, or of <c>layer_types</c>, where <c>use_sliding_window</c> says so.</summary>
    ByFlag,

    /// <summary>Those without rotary embedding, or of <c>layer_types</c>, where <c>use_sliding_window</c> says so.</summary>
    Unturned,
}

/// <summary>A tensor whose rows are those of several linear layers, one after the other.</summary>
/// <param name="Name">Its name within a layer, for example <c>self_attn.qkv_proj</c>.</param>
/// <param name="Parts">Names of the linear layers within a layer.</param>
internal sealed record FusedTensor(string Name, ImmutableArray<string> Parts);

/// <summary>
/// What makes a family of decoders: one row of <see cref="FamilyTable"/>. Readers and writers of <c>config.json</c> and GGUF ask it; the
/// forward pass knows no family. Defaults are those of the transformers library where a key is absent.
/// </summary>
internal sealed record Family
{
    /// <summary><c>model_type</c>.</summary>
    public required string Name { get; init; }

    /// <summary>The class that <c>architectures</c> names.</summary>
    public required string ClassName { get; init; }

    /// <summary><c>general.architecture</c> of GGUF files; null where such files name another family.</summary>
    public string? GgufName { get; init; }

    /// <summary>ggml's converter turns neighbouring pairs of a head, so that it reorders the rows of q and k.</summary>
    public bool IsReorderedInGguf { get; init; }

    /// <summary>GGUF's names within a layer that are not the common ones, with their names here.</summary>
    public ImmutableDictionary<string, string> GgufNames { get; init; } = ImmutableDictionary<string, string>.Empty;

    /// <summary>Biases of attention.</summary>
    public BiasRule AttentionBias { get; init; }

    /// <summary><c>mlp_bias</c> gives the feed-forward's three projections biases.</summary>
    public bool HasFeedForwardBiasKey { get; init; }

    /// <summary>RMSNorm over each head of q and k.</summary>
    public bool QkNorm { get; init; }

    /// <summary>Sliding windows.</summary>
    public WindowRule Windows { get; init; }

    /// <summary>Window where <c>sliding_window</c> is absent; null where there is then none.</summary>
    public int? DefaultWindow { get; init; }

    /// <summary>Head width where <c>head_dim</c> is absent; null for hidden size / heads.</summary>
    public int? DefaultHeadDim { get; init; }

    /// <summary>Key heads where <c>num_key_value_heads</c> is absent; null for as many as there are query heads.</summary>
    public int? DefaultKvHeads { get; init; }

    /// <summary>Positions where <c>max_position_embeddings</c> is absent.</summary>
    public int DefaultPositions { get; init; } = 2048;

    /// <summary>Base of the rotary embedding where <c>rope_theta</c> is absent.</summary>
    public double DefaultTheta { get; init; } = 10000;

    /// <summary>ε where <c>rms_norm_eps</c> is absent.</summary>
    public double DefaultEpsilon { get; init; } = 1e-6;

    /// <summary>The output head is the embedding where <c>tie_word_embeddings</c> is absent.</summary>
    public bool IsTiedByDefault { get; init; }

    /// <summary>
    /// It has <c>embedding_multiplier</c>, <c>residual_multiplier</c>, <c>attention_multiplier</c> and <c>logits_scaling</c>, and their
    /// like in GGUF.
    /// </summary>
    public bool HasMultipliers { get; init; }

    /// <summary><c>partial_rotary_factor</c> says how much of a head turns.</summary>
    public bool HasPartialRotary { get; init; }

    /// <summary>Every so many layers one has no rotary embedding, unless <c>no_rope_layers</c> says which; 0 where all have it.</summary>
    public int UnturnedInterval { get; init; }

    /// <summary>Tensors that hold several linear layers.</summary>
    public ImmutableArray<FusedTensor> Fused { get; init; } = [];

    /// <summary>Kinds of <c>rope_scaling</c>.</summary>
    public ImmutableArray<string> RopeTypes { get; init; } = ["default", "linear", "dynamic", "llama3", "yarn"];
}
