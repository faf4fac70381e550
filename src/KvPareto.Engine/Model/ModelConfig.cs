using System.Collections.Immutable;
using KvPareto.Engine.Cache;
using KvPareto.Engine.Rotary;
using KvPareto.Engine.Seam;

namespace KvPareto.Engine.Model;

/// <summary>All that the forward pass needs to know of an architecture. Families differ in these values, never in code.</summary>
public sealed record ModelConfig
{
    /// <summary>Hugging Face's <c>model_type</c>, for example qwen2.</summary>
    public required string Family { get; init; }

    /// <summary>V.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>H.</summary>
    public required int HiddenSize { get; init; }

    /// <summary>F.</summary>
    public required int FeedForwardSize { get; init; }

    /// <summary>Decoder layers.</summary>
    public required int LayerCount { get; init; }

    /// <summary>Nq.</summary>
    public required int QueryHeads { get; init; }

    /// <summary>Nkv.</summary>
    public required int KvHeads { get; init; }

    /// <summary>D; not always H/Nq.</summary>
    public required int HeadDim { get; init; }

    /// <summary>ε of RMSNorm.</summary>
    public required float NormEpsilon { get; init; }

    /// <summary>Positions the model was made for.</summary>
    public required int MaxPositions { get; init; }

    /// <summary>Rotary embedding.</summary>
    public required RopeTable Rope { get; init; }

    /// <summary>The output head is the embedding.</summary>
    public required bool TiedEmbeddings { get; init; }

    /// <summary>RMSNorm over each head of q and k (Qwen3).</summary>
    public required bool QkNorm { get; init; }

    /// <summary>The projections to q, k and v have biases.</summary>
    public bool QkvBias { get; init; }

    /// <summary>The projection after attention has a bias.</summary>
    public bool OutputBias { get; init; }

    /// <summary>The feed-forward's three projections have biases.</summary>
    public bool FeedForwardBias { get; init; }

    /// <summary>Factor on the embedding.</summary>
    public float EmbeddingMultiplier { get; init; } = 1;

    /// <summary>Factor on the output of each block before it is added to the residual stream.</summary>
    public float ResidualMultiplier { get; init; } = 1;

    /// <summary>Factor on q·k; null for 1/√D.</summary>
    public float? AttentionMultiplier { get; init; }

    /// <summary>What logits are divided by.</summary>
    public float LogitDivisor { get; init; } = 1;

    /// <summary>Layers without rotary embedding.</summary>
    public ImmutableArray<int> UnturnedLayers { get; init; } = [];

    /// <summary>
    /// Factor on the rows of the embedding. The residual stream is kept divided by <see cref="ResidualMultiplier"/>, so that blocks are
    /// added as they are: nothing but norms reads it, and those see a common factor only beside ε.
    /// </summary>
    public float EmbeddingScale => EmbeddingMultiplier / ResidualMultiplier;

    /// <summary>ε of the norms of the residual stream, divided as that is.</summary>
    public float StreamEpsilon => NormEpsilon / (ResidualMultiplier * ResidualMultiplier);

    /// <summary>Element type that the configuration gives the checkpoint; the tensors' own types are what counts when loading.</summary>
    public DType StoredType { get; init; } = DType.BF16;

    /// <summary>How the linear layers are packed in the checkpoint; null where they are plain.</summary>
    public AwqConfig? Quantization { get; init; }

    /// <summary>For each layer how many latest tokens a query sees; 0 means all.</summary>
    public required ImmutableArray<int> LayerWindows { get; init; }

    /// <summary>Beginning-of-sequence id, if the model has one.</summary>
    public int? BosId { get; init; }

    /// <summary>Ids that end a generation.</summary>
    public ImmutableArray<int> EosIds { get; init; } = [];

    /// <summary>A key's bias is turned by its position alone: all channels of all layers have the rotary embedding.</summary>
    public bool TurnsBiases => UnturnedLayers.IsEmpty && Rope.TurnedChannels == HeadDim;

    /// <summary>Shape of this model's cache.</summary>
    public KvGeometry Geometry =>
        new(QueryHeads, KvHeads, HeadDim, LayerWindows) { HasKeyBias = QkvBias && TurnsBiases, AttentionMultiplier = AttentionMultiplier };
}
