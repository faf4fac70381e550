using KvPareto.Engine.Cache;
using KvPareto.Engine.Model;
using KvPareto.Engine.Seam;

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

    public IReadOnlyList<bool> PreBias { get; init; } = [false];

    public IReadOnlyList<KvRotation> Rotation { get; init; } = [KvRotation.None];

    /// <summary>Percent of a group's range.</summary>
    public IReadOnlyList<int> Clip { get; init; } = [100];

    /// <summary>First tokens at 16 bits.</summary>
    public IReadOnlyList<int> Sink { get; init; } = [0];

    /// <summary>Latest tokens at 16 bits.</summary>
    public IReadOnlyList<int> Recent { get; init; } = [0];

    /// <summary>First and last layers at 16 bits.</summary>
    public IReadOnlyList<int> Edge { get; init; } = [0];

    public IReadOnlyList<int?> Chunk { get; init; } = [null];

    public IReadOnlyList<AttentionKernel> Attention { get; init; } = [AttentionKernel.Flash];

    /// <summary>Number of combinations, collapsed ones counted apart.</summary>
    public double Count => new[]
    {
        Weights.Count, EmbeddingBits.Count, Cache.Count, Granularity.Count, Smooth.Count, PreBias.Count, Rotation.Count,
        Clip.Count, Sink.Count, Recent.Count, Edge.Count, Chunk.Count, Attention.Count,
    }.Aggregate(1.0, (product, count) => product * count);
}
