namespace KvPareto.Engine.Cache;

/// <summary>
/// How the tokens of one side (keys or values of a layer) are parted, whatever the backend: sinks at 16 bits, then codes, then a ring of
/// 16-bit tokens that are not coded yet, because they are recent or their block is not full. A token is coded once, as it leaves the ring.
/// Without codes all tokens are in the coded part, which then holds plain numbers.
/// </summary>
public readonly record struct SidePlan
{
    /// <summary>Parts a side.</summary>
    /// <param name="spec">Storage of the layer (<see cref="KvSpec.ForLayer"/>).</param>
    /// <param name="side">Its keys or its values.</param>
    /// <param name="headDim">D.</param>
    /// <param name="capacity">Tokens in all.</param>
    public SidePlan(KvSpec spec, SideSpec side, int headDim, int capacity)
    {
        var granularity = side.Granularity;
        (Bits, Granularity, HeadDim) = (side.Bits, granularity, headDim);
        SinkTokens = side.IsCoded ? Math.Min(spec.SinkTokens, capacity) : 0;
        RecentTokens = side.IsCoded ? spec.RecentTokens : 0;
        var kind = KvAxisKind.Of(granularity.Axis);
        Granule = side.IsCoded && kind.CodesTogether ? granularity.Group : 1;
        TokenBlock = side.IsCoded ? kind.TokenBlock(granularity.Group, headDim) : (1, 0, 1);
        CodedTokens = Math.Max(0, capacity - SinkTokens - RecentTokens) / Granule * Granule;
        RingTokens = Math.Max(0, Math.Min(RecentTokens + Granule - 1, capacity - SinkTokens));
        Fit = spec.Fit;
    }

    /// <summary>The keys and the values of each layer of a cache.</summary>
    public static IEnumerable<(SidePlan Keys, SidePlan Values)> OfLayers(KvGeometry geometry, KvSpec spec, int capacity)
    {
        for (var layer = 0; layer < geometry.LayerCount; layer++)
        {
            var own = spec.ForLayer(layer, geometry.LayerCount);
            yield return (new(own, own.Keys, geometry.HeadDim, capacity), new(own, own.Values, geometry.HeadDim, capacity));
        }
    }

    /// <summary>Bits of a stored number of the coded part.</summary>
    public int Bits { get; }

    /// <summary>Groups of the codes.</summary>
    public KvGranularity Granularity { get; }

    /// <summary>D.</summary>
    public int HeadDim { get; }

    /// <summary>First tokens, kept at 16 bits.</summary>
    public int SinkTokens { get; }

    /// <summary>Latest tokens, kept at 16 bits.</summary>
    public int RecentTokens { get; }

    /// <summary>Tokens that are coded together.</summary>
    public int Granule { get; }

    /// <summary>Tokens that the coded part has room for, a multiple of <see cref="Granule"/>.</summary>
    public int CodedTokens { get; }

    /// <summary>Tokens that wait at 16 bits to be coded, at the most; token t waits in row t modulo the ring's length.</summary>
    public int RingTokens { get; }

    /// <summary>How a group's range is fitted.</summary>
    public GroupFit Fit { get; }

    /// <summary>True where the coded part holds codes.</summary>
    public bool IsCoded => Bits < 16;

    /// <summary>The token after the last coded one when there are so many: sinks and whole blocks, recent tokens apart.</summary>
    public int CodedEnd(int length) => SinkTokens + Math.Max(0, length - SinkTokens - RecentTokens) / Granule * Granule;

    /// <summary>
    /// The groups of one block of coded tokens, which share entries: its tokens, its groups, and the channels of a group. Entries lie block
    /// after block, a head's together; those of a <see cref="KvAxis.Tensor"/> are shared by the heads.
    /// </summary>
    public (int Tokens, int Groups, int Channels) TokenBlock { get; }

    /// <summary>Blocks that the coded part has room for: one where entries are for good.</summary>
    public int TokenBlocks => TokenBlocksOf(CodedTokens);

    /// <summary>Blocks that so many coded tokens lie in, the last one whole or not.</summary>
    public int TokenBlocksOf(int tokens) => TokenBlock.Tokens == int.MaxValue ? 1 : (tokens + TokenBlock.Tokens - 1) / TokenBlock.Tokens;
}
