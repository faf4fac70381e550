using KvPareto.Engine.Cache;
using TorchSharp;

namespace KvPareto.Torch;

/// <summary>The sizes of a layer's keys or values, from shapes alone.</summary>
internal sealed class SideShape
{
    /// <summary>Lays out a side.</summary>
    /// <param name="spec">Storage of the layer.</param>
    /// <param name="isKeys">Keys, or values.</param>
    /// <param name="geometry">Heads and their width.</param>
    /// <param name="capacity">Tokens.</param>
    public SideShape(KvSpec spec, bool isKeys, KvGeometry geometry, int capacity)
    {
        (Heads, HeadDim) = (geometry.KvHeads, geometry.HeadDim);
        (Bits, var granularity) = isKeys ? (spec.KeyBits, spec.KeyGranularity) : (spec.ValueBits, spec.ValueGranularity);
        (Axis, Clip) = (granularity.Axis, spec.ClipPercent / 100f);
        CodedTokens = capacity;
        if (!IsCoded) return;
        Granule = Axis is KvAxis.Channel or KvAxis.Block ? granularity.Group : 1;
        SinkTokens = Math.Min(spec.SinkTokens, capacity);
        RecentTokens = spec.RecentTokens;
        RingTokens = Math.Max(0, Math.Min(RecentTokens + Granule - 1, capacity - SinkTokens));
        CodedTokens = Math.Max(0, capacity - SinkTokens - RecentTokens) / Granule * Granule;
        (Runs, GroupChannels) = Axis switch
        {
            KvAxis.Token => (CodedTokens, granularity.Group),
            KvAxis.Channel => (CodedTokens / Granule, 1),
            KvAxis.Block => (CodedTokens / Granule, HeadDim),
            KvAxis.Tensor => (CodedTokens, HeadDim),
            KvAxis.PowerOfTwo => (1, 1),
            _ => throw new ArgumentOutOfRangeException(nameof(spec), granularity, "unknown granularity"),
        };
    }

    /// <summary>Nkv.</summary>
    public int Heads { get; }

    /// <summary>D.</summary>
    public int HeadDim { get; }

    /// <summary>2, 4, 8, 16 or 32.</summary>
    public int Bits { get; }

    /// <summary>True below 16 bits.</summary>
    public bool IsCoded => Bits < 16;

    /// <summary>What a group runs along.</summary>
    public KvAxis Axis { get; }

    /// <summary>Scripts/side.py's axis.</summary>
    public int AxisCode => Axis switch { KvAxis.Tensor => 1, KvAxis.PowerOfTwo => 2, _ => 0 };

    /// <summary>Share of a group's range that codes span.</summary>
    public float Clip { get; }

    /// <summary>Tokens that are coded together.</summary>
    public int Granule { get; } = 1;

    /// <summary>First tokens kept at 16 bits.</summary>
    public int SinkTokens { get; }

    /// <summary>Latest tokens kept at 16 bits.</summary>
    public int RecentTokens { get; }

    /// <summary>Tokens that there is room for before they are coded.</summary>
    public int RingTokens { get; }

    /// <summary>Tokens that there is room for as codes, or as plain rows.</summary>
    public int CodedTokens { get; }

    /// <summary>Runs of tokens with entries of their own.</summary>
    public int Runs { get; }

    /// <summary>Channels of a group.</summary>
    public int GroupChannels { get; } = 1;

    /// <summary>Groups of a run and head.</summary>
    public int GroupsPerRun => HeadDim / GroupChannels;

    /// <summary>Heads with entries of their own: an append's one scale is for all.</summary>
    public int EntryHeads => Axis == KvAxis.Tensor ? 1 : Heads;

    /// <summary>Elements of a token's row of one head.</summary>
    public int RowElements => IsCoded ? HeadDim * Bits / 8 : HeadDim;

    /// <summary>Type of those.</summary>
    public torch.ScalarType RowType => IsCoded ? torch.ScalarType.Byte : Bits == 16 ? torch.ScalarType.Float16 : torch.ScalarType.Float32;

    /// <summary>Bytes in all.</summary>
    public long ByteCount => (long)Heads * CodedTokens * HeadDim * Bits / 8
        + (IsCoded ? (long)EntryHeads * Runs * GroupsPerRun * GroupMeta.ByteSize + (long)Heads * (RingTokens + SinkTokens) * HeadDim * sizeof(ushort) : 0);
}
