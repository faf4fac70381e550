using KvPareto.Engine.Cache;

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
    private readonly SidePlan _plan;
    private readonly int _heads;

    /// <summary>Lays out a side.</summary>
    /// <param name="plan">Which tokens lie where.</param>
    /// <param name="heads">Nkv.</param>
    public SideLayout(SidePlan plan, int heads)
    {
        (_plan, _heads) = (plan, heads);
        var block = plan.TokenBlock;
        _shape = new Side
        {
            Bits = plan.Bits,
            RowBytes = plan.HeadDim * plan.Bits / 8,
            Axis = plan.IsCoded ? (int)plan.Granularity.Axis : PlainAxis,
            GroupTokens = block.Tokens,
            GroupsPerTokenBlock = block.Groups,
            GroupChannels = block.Channels,
            Granule = plan.Granule,
            SinkTokens = plan.SinkTokens,
            RecentTokens = plan.RecentTokens,
            RingTokens = plan.RingTokens,
            CodedTokens = plan.CodedTokens,
        };
    }

    /// <summary>How its numbers are coded.</summary>
    public SideCodes Codes => _plan.IsCoded
        ? new(_shape.Bits, _shape.GroupChannels == 1 ? 0 : _shape.GroupChannels, _shape.GroupTokens)
        : new(_shape.Bits, _plan.HeadDim, 1);

    /// <summary>Stretches of <see cref="Granule"/> tokens that an append of so many to each sequence completes, at the most.</summary>
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

    /// <summary>Whether one of so many appended tokens stays at 16 bits, a sink or in the ring.</summary>
    public bool Keeps(int[] starts, int rows)
    {
        foreach (var start in starts)
        {
            if (start < SinkTokens || CodedEnd(start + rows) < start + rows) return true;
        }
        return false;
    }

    /// <summary>Whether each token is coded when its chunk is appended, by itself or with others of that chunk, and by no scale over the
    /// append.</summary>
    public bool TakesAsOne(int start, int chunk) => SinkTokens == 0 && _shape.RecentTokens == 0 && start % Granule == 0
        && chunk % Granule == 0 && (!_plan.IsCoded || Axis is KvAxis.Token or KvAxis.Channel or KvAxis.Block);

    /// <summary>Whether a token's attention can append its row (decode.cu).</summary>
    public bool IsByRow => IsByToken || (_plan.HeadDim is 64 or 128 && Axis == KvAxis.Channel);

    /// <summary>Whether a warp codes a token's row by itself (cache.cu, encode_tokens).</summary>
    public bool IsByToken => _plan.HeadDim is 64 or 128 && Granule == 1 && (_shape.Axis == PlainAxis
        ? _shape.Bits == 16
        : Axis == KvAxis.Token && _shape.GroupChannels % 32 == 0 && _shape.Bits * _plan.HeadDim % (32 * 8) == 0);

    /// <summary>Tokens that are coded together.</summary>
    public int Granule => _shape.Granule;

    /// <summary>First tokens kept at 16 bits.</summary>
    public int SinkTokens => _shape.SinkTokens;

    /// <summary>Whether rows are kept at 16 bits beside the codes.</summary>
    public bool KeepsRows => _shape.SinkTokens + _shape.RingTokens > 0;

    /// <summary>What groups of the codes run along; null where there are none.</summary>
    public KvAxis? Axis => _shape.Axis == PlainAxis ? null : (KvAxis)_shape.Axis;

    /// <summary>Bytes in all.</summary>
    public long ByteCount => SinksAt + Align((long)_heads * _shape.SinkTokens * _plan.HeadDim * sizeof(ushort));

    private bool SharesGroups => _shape.Axis == (int)KvAxis.Tensor;

    private long GroupsAt => Align((long)_heads * _shape.CodedTokens * _shape.RowBytes);

    private long HeadGroups => (long)_plan.TokenBlocks * _shape.GroupsPerTokenBlock;

    private long RingAt => GroupsAt + Align((SharesGroups ? 1 : _heads) * HeadGroups * GroupMeta.ByteSize);

    private long SinksAt => RingAt + Align((long)_heads * _shape.RingTokens * _plan.HeadDim * sizeof(ushort));

    /// <summary>The end of the codes when there are so many tokens.</summary>
    public int CodedEnd(int length) => _plan.CodedEnd(length);

    /// <summary>The stretches of bytes that hold so many tokens, from a side of the same spec for another capacity to this one.</summary>
    public IEnumerable<ByteStretch> Taken(SideLayout other, int length)
    {
        var coded = Math.Max(0, CodedEnd(length) - SinkTokens);
        // Those that wait at 16 bits already have what they will be coded by, where a whole append shares it.
        var grouped = SharesGroups
            ? Math.Min(Math.Max(0, length - SinkTokens), Math.Min(_shape.CodedTokens, other._shape.CodedTokens)) : coded;
        var row = _plan.HeadDim * sizeof(ushort);
        for (var head = 0; head < _heads; head++)
        {
            yield return new(head * (long)other._shape.CodedTokens * _shape.RowBytes, head * (long)_shape.CodedTokens * _shape.RowBytes,
                (long)coded * _shape.RowBytes);
            if (_plan.IsCoded && !(SharesGroups && head > 0))
                yield return new(
                    other.GroupsAt + head * other.HeadGroups * GroupMeta.ByteSize, GroupsAt + head * HeadGroups * GroupMeta.ByteSize,
                    (long)_plan.TokenBlocksOf(grouped) * _shape.GroupsPerTokenBlock * GroupMeta.ByteSize);
            yield return new(other.SinksAt + (long)head * other.SinkTokens * row, SinksAt + (long)head * SinkTokens * row,
                (long)Math.Min(length, SinkTokens) * row);
            for (var token = Math.Max(CodedEnd(length), Math.Min(length, SinkTokens)); token < length;)
            {
                var (from, to) = (token % other._shape.RingTokens, token % _shape.RingTokens);
                var count = Math.Min(length - token, Math.Min(other._shape.RingTokens - from, _shape.RingTokens - to));
                yield return new(other.RingAt + ((long)head * other._shape.RingTokens + from) * row,
                    RingAt + ((long)head * _shape.RingTokens + to) * row, (long)count * row);
                token += count;
            }
        }
    }

    /// <summary>The side at an address.</summary>
    public Side At(nint address) => _shape with
    {
        Codes = address,
        Groups = address + (nint)GroupsAt,
        Ring = address + (nint)RingAt,
        Sinks = address + (nint)SinksAt,
        HeadCodes = (long)_shape.CodedTokens * _shape.RowBytes,
        HeadGroups = SharesGroups ? 0 : HeadGroups,
    };

    /// <summary>Bytes rounded up so that what follows can be read sixteen at a time.</summary>
    public static long Align(long bytes) => (bytes + Alignment - 1) / Alignment * Alignment;
}

/// <summary>Bytes that lie together in two places.</summary>
/// <param name="From">First byte there.</param>
/// <param name="To">First byte here.</param>
/// <param name="Bytes">How many.</param>
internal readonly record struct ByteStretch(long From, long To, long Bytes);

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
