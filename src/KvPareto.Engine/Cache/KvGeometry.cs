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
}
