using System.Runtime.InteropServices;
using KvPareto.Engine.Cache;
using TorchSharp;

namespace KvPareto.Torch;

/// <summary>The tensors of a layer's keys or values, from shapes alone.</summary>
/// <param name="Plan">Which tokens lie where.</param>
/// <param name="Heads">Nkv.</param>
internal readonly record struct SideShape(SidePlan Plan, int Heads)
{
    /// <summary>Bytes in all.</summary>
    public long ByteCount => (long)Heads * Plan.CodedTokens * Plan.HeadDim * Plan.Bits / 8
        + (!Plan.IsCoded ? 0 : Entries.Aggregate((product, size) => product * size) * GroupMeta.ByteSize
            + (long)Heads * (Plan.RingTokens + Plan.SinkTokens) * Plan.HeadDim * sizeof(ushort));

    private int Axis => Plan.Granularity.Axis switch { KvAxis.Tensor => 1, KvAxis.PowerOfTwo => 2, _ => 0 };

    // An append's one scale is for all heads.
    private long[] Entries =>
    [
        Axis == 1 ? 1 : Heads, Plan.TokenBlock.Tokens == int.MaxValue ? 1 : Plan.CodedTokens / Plan.TokenBlock.Tokens,
        Plan.TokenBlock.Groups,
    ];

    /// <summary>The side as Scripts/side.py takes it.</summary>
    /// <param name="codec">Of the device.</param>
    /// <param name="zeros">Allocates what counts as cache.</param>
    public torch.Tensor[] Allocate(TorchCodes codec, Func<torch.ScalarType, long[], torch.Tensor> zeros)
    {
        var numbers = torch.tensor(new long[] { Plan.RecentTokens, Plan.Granule, Plan.TokenBlock.Channels, Plan.Bits, Axis });
        var plain = Plan.Bits == 16 ? torch.ScalarType.Float16 : torch.ScalarType.Float32;
        if (!Plan.IsCoded) return [numbers, zeros(plain, [Heads, Plan.CodedTokens, Plan.HeadDim])];
        return
        [
            numbers, zeros(torch.ScalarType.Byte, [Heads, Plan.CodedTokens, Plan.HeadDim * Plan.Bits / 8]),
            zeros(torch.ScalarType.Int32, Entries), zeros(torch.ScalarType.Float16, [Heads, Plan.RingTokens, Plan.HeadDim]),
            zeros(torch.ScalarType.Float16, [Heads, Plan.SinkTokens, Plan.HeadDim]), codec.Shifts(Plan.Bits), codec.Constants(Plan.Bits),
            torch.tensor(MemoryMarshal.Cast<GroupFit, float>([Plan.Fit]).ToArray()),
        ];
    }
}
