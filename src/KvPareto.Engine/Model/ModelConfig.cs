using System.Collections.Immutable;
using KvPareto.Engine.Cache;
using KvPareto.Engine.Checkpoints.Awq;
using KvPareto.Engine.Rotary;
using KvPareto.Engine.Seam;

namespace KvPareto.Engine.Model;

/// <summary>All that the forward pass needs to know of an architecture. Families differ in these values, never in code.</summary>
public sealed record ModelConfig
{
    /// <summary>Hugging Face's <c>model_type</c>: llama, qwen2, qwen3, mistral.</summary>
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

    /// <summary>Shape of this model's cache.</summary>
    public KvGeometry Geometry => new(QueryHeads, KvHeads, HeadDim, LayerWindows) { HasKeyBias = QkvBias };
}
