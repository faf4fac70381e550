using System.Collections.Immutable;

namespace KvPareto.Engine.Cache;

/// <summary>The shape of a model's cache.</summary>
/// <param name="QueryHeads">Nq, a multiple of <paramref name="KvHeads"/>.</param>
/// <param name="KvHeads">Nkv.</param>
/// <param name="HeadDim">D.</param>
/// <param name="LayerWindows">For each layer how many latest tokens (its own included) a query sees; 0 means all.</param>
public sealed record KvGeometry(int QueryHeads, int KvHeads, int HeadDim, ImmutableArray<int> LayerWindows)
{
    /// <summary>Number of layers.</summary>
    public int LayerCount => LayerWindows.Length;

    /// <summary>Factor on q·k where the model has one of its own; null for 1/√D.</summary>
    public float? AttentionMultiplier { get; init; }

    /// <summary>Factor on q·k.</summary>
    public float ScoreScale => AttentionMultiplier ?? 1 / MathF.Sqrt(HeadDim);

    /// <summary>Whether the model's key projection has a bias.</summary>
    public bool HasKeyBias { get; init; }

    /// <summary>That bias, which <see cref="KvSpec.PreBiasKeys"/> leaves out of the codes; null where keys have none, or where nothing is
    /// to be stored.</summary>
    public RotaryBias? KeyBias { get; init; }
}
