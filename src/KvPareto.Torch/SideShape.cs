using KvPareto.Engine.Cache;
using TorchSharp;

namespace KvPareto.Torch;

/// <summary>The tensors of a layer's keys or values, from shapes alone.</summary>
/// <param name="Plan">Which tokens lie where.</param>
/// <param name="Heads">Nkv.</param>
internal readonly record struct SideShape(SidePlan Plan, int Heads)
{
    /// <summary>Scripts/side.py's axis.</summary>
    public int Axis => Plan.Granularity.Axis switch { KvAxis.Tensor => 1, KvAxis.PowerOfTwo => 2, _ => 0 };

    /// <summary>Entries of the groups, [heads, runs, groups of a run]; an append's one scale is for all heads.</summary>
    public long[] Entries =>
        [Axis == 1 ? 1 : Heads, Plan.TokenBlock.Tokens == int.MaxValue ? 1
            : Plan.CodedTokens / Plan.TokenBlock.Tokens, Plan.TokenBlock.Groups];

    /// <summary>Codes, or plain rows, [heads, tokens, elements].</summary>
    public long[] Rows => [Heads, Plan.CodedTokens, Plan.IsCoded ? Plan.HeadDim * Plan.Bits / 8 : Plan.HeadDim];

    /// <summary>Type of those.</summary>
    public torch.ScalarType RowType =>
        Plan.IsCoded ? torch.ScalarType.Byte : Plan.Bits == 16 ? torch.ScalarType.Float16 : torch.ScalarType.Float32;

    /// <summary>Bytes in all.</summary>
    public long ByteCount => (long)Heads * Plan.CodedTokens * Plan.HeadDim * Plan.Bits / 8
        + (Plan.IsCoded
            ? Entries.Aggregate((product, size) => product * size) * GroupMeta.ByteSize + (long)Heads * (Plan.RingTokens + Plan.SinkTokens)
            * Plan.HeadDim * sizeof(ushort) : 0);
}
