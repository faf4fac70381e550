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
    public long ByteCount => Stored.Sum(part => part.Type.ElementSize() * part.Size.Aggregate((product, size) => product * size));

    private int Axis => Plan.Granularity.Axis switch { KvAxis.Tensor => 1, KvAxis.PowerOfTwo => 2, _ => 0 };

    // An append's one scale is for all heads.
    private long[] Entries => [Axis == 1 ? 1 : Heads, Plan.TokenBlocks, Plan.TokenBlock.Groups];

    // What counts as cache: rows; or codes, entries, ring, sinks.
    private (torch.ScalarType Type, long[] Size)[] Stored => !Plan.IsCoded
        ? [(Plan.Bits == 16 ? torch.ScalarType.Float16 : torch.ScalarType.Float32, [Heads, Plan.CodedTokens, Plan.HeadDim])]
        :
        [
            (torch.ScalarType.Byte, [Heads, Plan.CodedTokens, Plan.HeadDim * Plan.Bits / 8]), (torch.ScalarType.Int32, Entries),
            (torch.ScalarType.Float16, [Heads, Plan.RingTokens, Plan.HeadDim]),
            (torch.ScalarType.Float16, [Heads, Plan.SinkTokens, Plan.HeadDim]),
        ];

    /// <summary>The side as Scripts/side.py takes it.</summary>
    /// <param name="codec">Of the device.</param>
    /// <param name="zeros">Allocates what counts as cache.</param>
    public torch.Tensor[] Allocate(TorchCodes codec, Func<torch.ScalarType, long[], torch.Tensor> zeros)
    {
        var numbers = torch.tensor(new long[] { Plan.RecentTokens, Plan.Granule, Plan.TokenBlock.Channels, Plan.Bits, Axis });
        torch.Tensor[] side = [numbers, .. Stored.Select(part => zeros(part.Type, part.Size))];
        if (!Plan.IsCoded) return side;
        var fit = torch.tensor(MemoryMarshal.Cast<GroupFit, float>([Plan.Fit]).ToArray());
        return [.. side, codec.Shifts(Plan.Bits), codec.Constants(Plan.Bits), fit];
    }
}
