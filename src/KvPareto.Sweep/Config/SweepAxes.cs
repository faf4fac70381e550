using KvPareto.Engine;
using KvPareto.Engine.Cache;
using KvPareto.Engine.Model;

namespace KvPareto.Sweep.Config;

/// <summary>The values to combine, axis by axis, each list in the config's order.</summary>
internal sealed record SweepAxes
{
    /// <summary>Bits of the linear layers, and the group of all codes.</summary>
    public IReadOnlyList<WeightSpec> Weights { get; init; } = [WeightSpec.Full];

    /// <summary>Bits of the embedding and the output head.</summary>
    public IReadOnlyList<int> EmbeddingBits { get; init; } = [16];

    /// <summary>Only the bits count.</summary>
    public IReadOnlyList<KvSpec> Cache { get; init; } = [KvSpec.Full];

    /// <summary>Only the granularities count.</summary>
    public IReadOnlyList<KvSpec> Granularity { get; init; } = [KvSpec.Full];

    public IReadOnlyList<bool> Smooth { get; init; } = [false];

    public IReadOnlyList<int?> Chunk { get; init; } = [null];

    public IReadOnlyList<AttentionKernel> Attention { get; init; } = [AttentionKernel.Flash];

    /// <summary>Number of combinations, collapsed ones counted apart.</summary>
    public long Count => Weights.Count * (long)EmbeddingBits.Count * Cache.Count * Granularity.Count * Smooth.Count * Chunk.Count * Attention.Count;
}
