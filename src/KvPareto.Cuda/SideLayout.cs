using KvPareto.Engine.Cache;
using KvPareto.Text.Input;

namespace KvPareto.Cuda;

/// <summary>
/// How the keys or the values of one layer lie: for all heads their coded rows, the groups' entries, the ring of 16-bit rows that are not
/// coded yet, and the sinks. Rows are whole, token after token, so that one is appended without touching another.
/// </summary>
internal sealed class SideLayout
{
    private const int Alignment = 16;
    private const int PlainAxis = 5;

    private readonly Side _shape;
    private readonly int _heads;
    private readonly int _headDim;

    /// <summary>Lays out a side.</summary>
    /// <param name="spec">Storage of the layer.</param>
    /// <param name="isKeys">Keys, or values.</param>
    /// <param name="heads">Nkv.</param>
    /// <param name="headDim">D.</param>
    /// <param name="capacity">Tokens.</param>
    public SideLayout(KvSpec spec, bool isKeys, int heads, int headDim, int capacity)
    {
        (_heads, _headDim) = (heads, headDim);
        var (bits, granularity) = isKeys ? (spec.KeyBits, spec.KeyGranularity) : (spec.ValueBits, spec.ValueGranularity);
        var isCoded = bits < 16;
        var granule = isCoded && granularity.Axis is KvAxis.Channel or KvAxis.Block ? granularity.Group : 1;
        var sinks = isCoded ? Math.Min(spec.SinkTokens, capacity) : 0;
        var recent = isCoded ? spec.RecentTokens : 0;
        var (groupTokens, groupsPerRun, groupChannels) = isCoded ? Groups(granularity, headDim) : (1, 0, 1);
        _shape = new Side
        {
            Bits = bits,
            RowBytes = headDim * bits / 8,
            Axis = isCoded ? (int)granularity.Axis : PlainAxis,
            GroupTokens = groupTokens,
            GroupsPerRun = groupsPerRun,
            GroupChannels = groupChannels,
            Granule = granule,
            SinkTokens = sinks,
            RecentTokens = recent,
            RingTokens = Math.Max(0, Math.Min(recent + granule - 1, capacity - sinks)),
            CodedTokens = Math.Max(0, capacity - sinks - recent) / granule * granule,
        };
    }

    // Tokens of a run of groups, its groups, and their channels (common.cuh, Side).
    private static (int Tokens, int PerRun, int Channels) Groups(KvGranularity granularity, int headDim) => granularity.Axis switch
    {
        KvAxis.Token => (1, headDim / granularity.Group, granularity.Group),
        KvAxis.Channel => (granularity.Group, headDim, 1),
        KvAxis.Block => (granularity.Group, 1, headDim),
        KvAxis.Tensor => (1, 1, headDim),
        KvAxis.PowerOfTwo => (int.MaxValue, headDim, 1),
        _ => throw new ConfigException($"device cuda: granularity {granularity} is not there; allowed: token:N, channel:N, block:N, tensor, pow2, or --device cpu"),
    };

    /// <summary>How its numbers are coded.</summary>
    public SideCodes Codes => _shape.Axis == PlainAxis
        ? new(_shape.Bits, _headDim, 1)
        : new(_shape.Bits, _shape.GroupChannels == 1 ? 0 : _shape.GroupChannels, _shape.GroupTokens);

    /// <summary>Runs of <see cref="Granule"/> tokens that an append of so many to each sequence completes, at the most.</summary>
    public int Granules(int[] starts, int rows)
    {
        var most = 0;
        foreach (var start in starts) most = Math.Max(most, (CodedEnd(start + rows) - CodedEnd(start)) / Granule);
        return most;
    }

    /// <summary>Whether an append of so many tokens brings the first that are coded, from which fixed scales come.</summary>
    public bool FitsPowers(int[] starts, int rows)
    {
        if (Axis != KvAxis.PowerOfTwo) return false;
        foreach (var start in starts)
        {
            if (start <= SinkTokens && start + rows > SinkTokens) return true;
        }
        return false;
    }

    /// <summary>Tokens that are coded together.</summary>
    public int Granule => _shape.Granule;

    /// <summary>First tokens kept at 16 bits.</summary>
    public int SinkTokens => _shape.SinkTokens;

    /// <summary>Whether rows are kept at 16 bits beside the codes.</summary>
    public bool KeepsRows => _shape.SinkTokens + _shape.RingTokens > 0;

    /// <summary>Whether codes share a scale over an append or for good.</summary>
    public KvAxis? Axis => _shape.Axis == PlainAxis ? null : (KvAxis)_shape.Axis;

    /// <summary>Bytes in all.</summary>
    public long ByteCount => SinksAt + Align((long)_heads * _shape.SinkTokens * _headDim * sizeof(ushort));

    private bool SharesGroups => _shape.Axis == (int)KvAxis.Tensor;

    private long Runs => _shape.GroupTokens == int.MaxValue ? 1 : (_shape.CodedTokens + _shape.GroupTokens - 1) / _shape.GroupTokens;

    private long GroupsAt => Align((long)_heads * _shape.CodedTokens * _shape.RowBytes);

    private long RingAt => GroupsAt + Align((SharesGroups ? 1 : _heads) * Runs * _shape.GroupsPerRun * GroupMeta.ByteSize);

    private long SinksAt => RingAt + Align((long)_heads * _shape.RingTokens * _headDim * sizeof(ushort));

    /// <summary>The end of the codes when there are so many tokens.</summary>
    public int CodedEnd(int length) => _shape.CodedEnd(length);

    /// <summary>The side at an address.</summary>
    public Side At(nint address) => _shape with
    {
        Codes = address,
        Groups = address + (nint)GroupsAt,
        Ring = address + (nint)RingAt,
        Sinks = address + (nint)SinksAt,
        HeadCodes = (long)_shape.CodedTokens * _shape.RowBytes,
        HeadGroups = SharesGroups ? 0 : Runs * _shape.GroupsPerRun,
    };

    /// <summary>Bytes rounded up so that what follows can be read sixteen at a time.</summary>
    public static long Align(long bytes) => (bytes + Alignment - 1) / Alignment * Alignment;
}

/// <summary>How the numbers of a side are coded: what kernels are compiled for.</summary>
/// <param name="Bits">Of a stored number.</param>
/// <param name="Channels">That share an entry; 0 where each channel has its own.</param>
/// <param name="Tokens">That share it.</param>
internal readonly record struct SideCodes(int Bits, int Channels, int Tokens)
{
    private const int Unit = 16; // tokens (decode.cu)

    /// <summary>Whether each channel of a group of tokens has an entry of its own.</summary>
    public bool HasChannels => Channels == 0;

    /// <summary>Whether tensor cores can take codes straight from memory as keys, of units of tokens that share entries.</summary>
    public bool AreDirectKeys => Bits <= 16 && (HasChannels || Channels % 32 == 0) && (Tokens is 1 or int.MaxValue || Tokens % Unit == 0);

    /// <summary>Whether they can take them as values.</summary>
    public bool AreDirectValues => AreDirectKeys && !HasChannels;
}
