using KvPareto.Engine;
using KvPareto.Engine.Cache;
using KvPareto.Engine.Model;

namespace KvPareto.Sweep.Config;

/// <summary>The values to combine, axis by axis, each list in the config's order.</summary>
internal sealed record SweepAxes
{
    public IReadOnlyList<WeightSpec> Weights { get; init; } = [WeightSpec.Full];

    /// <summary>Only the bits count.</summary>
    public IReadOnlyList<KvSpec> Cache { get; init; } = [KvSpec.Full];

    /// <summary>Only the granularities count.</summary>
    public IReadOnlyList<KvSpec> Granularity { get; init; } = [KvSpec.Full];

    public IReadOnlyList<bool> Smooth { get; init; } = [false];

    public IReadOnlyList<int?> Chunk { get; init; } = [null];

    public IReadOnlyList<AttentionKernel> Attention { get; init; } = [AttentionKernel.Flash];

    /// <summary>Number of combinations, collapsed ones counted apart.</summary>
    public long Count => Weights.Count * (long)Cache.Count * Granularity.Count * Smooth.Count * Chunk.Count * Attention.Count;
}
