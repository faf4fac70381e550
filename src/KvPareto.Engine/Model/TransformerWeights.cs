using System.Collections.Immutable;
using KvPareto.Engine.Seam;
using KvPareto.Text.Input;

namespace KvPareto.Engine.Model;

/// <summary>All weights of a decoder on one backend; biases are part of their weight.</summary>
public sealed class TransformerWeights : IDisposable
{
    internal TransformerWeights(
        Weight embedding, ImmutableArray<LayerWeights> layers, Weight finalNorm, Weight head, ImmutableArray<float[]>? keyBiases)
    {
        (Embedding, Layers, FinalNorm, Head, KeyBiases) = (embedding, layers, finalNorm, head, keyBiases);
    }

    /// <summary>[V, H].</summary>
    public Weight Embedding { get; }

    /// <summary>The decoder layers, first to last.</summary>
    public ImmutableArray<LayerWeights> Layers { get; }

    /// <summary>[H].</summary>
    public Weight FinalNorm { get; }

    /// <summary>[V, H]; the same object as <see cref="Embedding"/> where the model ties them.</summary>
    public Weight Head { get; }

    /// <summary>For each layer the bias of the key projection [Nkv·D]; null where keys have none.</summary>
    internal ImmutableArray<float[]>? KeyBiases { get; }

    /// <summary>Bytes in backend memory; tied embeddings count once.</summary>
    public long ByteCount => All.Sum(weight => weight.ByteCount);

    private IEnumerable<Weight> All =>
        [Embedding, .. Layers.SelectMany(layer => layer.All), FinalNorm, .. ReferenceEquals(Head, Embedding) ? [] : new[] { Head }];

    /// <summary>Brings a checkpoint into backend memory; it may be disposed afterwards.</summary>
    /// <param name="backend">Where to.</param>
    /// <param name="checkpoint">Where from.</param>
    /// <param name="spec">Precision.</param>
    /// <exception cref="ConfigException">A tensor is missing, has another shape or type than the architecture asks for, or cannot be
    /// coded.</exception>
    public static TransformerWeights Load(Backend backend, Checkpoint checkpoint, WeightSpec spec)
    {
        using var loader = new WeightLoader(backend, checkpoint, spec);
        return loader.Load();
    }

    /// <summary>Refuses a checkpoint as <see cref="Load"/> would, as far as names, types and shapes tell: no element is read.</summary>
    /// <exception cref="ConfigException">Names the tensor, and what is allowed.</exception>
    public static void Check(Checkpoint checkpoint, WeightSpec spec) => WeightLoader.Check(checkpoint, spec);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var weight in All) weight.Dispose();
    }
}

/// <summary>The weights of one decoder layer. H hidden, Nq/Nkv heads, D head width, F feed-forward width.</summary>
public sealed record LayerWeights
{
    /// <summary>[H]: before attention.</summary>
    public required Weight InputNorm { get; init; }

    /// <summary>[Nq·D, H].</summary>
    public required Weight Query { get; init; }

    /// <summary>[Nkv·D, H].</summary>
    public required Weight Key { get; init; }

    /// <summary>[Nkv·D, H].</summary>
    public required Weight Value { get; init; }

    /// <summary>[H, Nq·D].</summary>
    public required Weight Output { get; init; }

    /// <summary>[D], over each query head; null where the family has none.</summary>
    public required Weight? QueryNorm { get; init; }

    /// <summary>[D], over each key head; null where the family has none.</summary>
    public required Weight? KeyNorm { get; init; }

    /// <summary>Its queries and keys have the rotary embedding.</summary>
    public bool IsTurned { get; init; } = true;

    /// <summary>[H]: before the feed-forward.</summary>
    public required Weight PostAttentionNorm { get; init; }

    /// <summary>[F, H].</summary>
    public required Weight Gate { get; init; }

    /// <summary>[F, H].</summary>
    public required Weight Up { get; init; }

    /// <summary>[H, F].</summary>
    public required Weight Down { get; init; }

    internal IEnumerable<Weight> All =>
        new[] { InputNorm, Query, Key, Value, Output, QueryNorm, KeyNorm, PostAttentionNorm, Gate, Up, Down }.OfType<Weight>();
}
