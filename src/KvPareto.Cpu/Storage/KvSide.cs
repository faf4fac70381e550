using KvPareto.Cpu.Kernels;
using KvPareto.Engine.Cache;
using KvPareto.Engine.Seam;

namespace KvPareto.Cpu.Storage;

/// <summary>
/// The keys or the values of one layer: sink tokens at 16 bits, then codes, then a ring of 16-bit tokens that are not coded yet,
/// because they are recent or their group is not full. Tokens are coded as they leave the ring, once.
/// </summary>
/// <typeparam name="TStore">Keys or values.</typeparam>
internal sealed unsafe class KvSide<TStore>
    where TStore : TokenStore
{
    private readonly TStore _coded;
    private readonly TStore? _sinks;
    private readonly TStore? _ring;
    private readonly SidePlan _plan;
    private readonly long _codedAt;
    private readonly long _ringAt;

    /// <summary>Lays out a side.</summary>
    /// <param name="coded">Makes the store of the codes for a capacity.</param>
    /// <param name="plain">Makes a 16-bit store for a capacity.</param>
    /// <param name="plan">Which tokens lie where.</param>
    public KvSide(Func<int, TStore> coded, Func<int, TStore> plain, SidePlan plan)
    {
        _plan = plan;
        _coded = coded(plan.CodedTokens);
        if (plan.SinkTokens > 0) _sinks = plain(plan.SinkTokens);
        if (plan.RingTokens > 0) _ring = plain(TokenStore.TileCount(plan.RingTokens) * KvTile.Tokens);
        _codedAt = NativeBuffer.Aligned(_sinks?.HeadBytes ?? 0);
        _ringAt = _codedAt + NativeBuffer.Aligned(_coded.HeadBytes);
        HeadBytes = _ringAt + NativeBuffer.Aligned(_ring?.HeadBytes ?? 0);
        LayerBytes = NativeBuffer.Aligned(_coded.LayerBytes);
    }

    /// <summary>Bytes of a head.</summary>
    public long HeadBytes { get; }

    /// <summary>Bytes that the layer's heads share.</summary>
    public long LayerBytes { get; }

    /// <summary>Whether tokens stand in it at 16 bits, for good or until they are coded.</summary>
    public bool HasHalves => _plan.Bits == 16 || _sinks is not null || _ring is not null;

    /// <summary>The stretches of a head that holds <paramref name="length"/> tokens.</summary>
    public TokenRanges<TStore> Ranges(StorePlace place, int length)
    {
        var result = new TokenRanges<TStore>();
        var sinkEnd = Math.Min(_plan.SinkTokens, length);
        var codedEnd = Math.Max(_plan.CodedEnd(length), sinkEnd);
        if (_sinks is not null) result.Add(new(_sinks, place, 0, sinkEnd, 0));
        result.Add(new(_coded, Coded(place), sinkEnd, codedEnd, _plan.SinkTokens));
        if (_ring is null) return result;
        for (var token = codedEnd; token < length;)
        {
            var origin = token / _ring.Capacity * _ring.Capacity;
            var end = Math.Min(length, origin + _ring.Capacity);
            result.Add(new(_ring, Ring(place), token, end, origin));
            token = end;
        }
        return result;
    }

    /// <summary>See <see cref="TokenStore.BeginAppend"/>; tokens are those of the sequence, heads <see cref="HeadBytes"/> apart.</summary>
    public void BeginAppend(StorePlace first, int heads, int start, int count, float* rows, int stride)
    {
        var skip = Math.Clamp(_plan.SinkTokens - start, 0, count);
        if (skip == count) return;
        _coded.BeginAppend(
            Coded(first), HeadBytes, heads, start + skip - _plan.SinkTokens, count - skip, rows + (long)skip * stride, stride);
    }

    /// <summary>Whether the tokens of an append can be coded apart from each other, in any order.</summary>
    public bool IsDivisible => _ring is null && _sinks is null && _plan.Granule == 1;

    /// <summary>Takes in tokens [<paramref name="start"/>, start + <paramref name="count"/>) of one head, and codes those whose time it
    /// is.</summary>
    public void Append(StorePlace place, int start, int count, float* rows, int stride)
    {
        var end = start + count;
        var codedEnd = Math.Max(_plan.CodedEnd(end), _plan.SinkTokens);
        Code(place, Math.Max(_plan.CodedEnd(start), _plan.SinkTokens), codedEnd, start, rows, stride);
        if (start < _plan.SinkTokens) _sinks!.Append(place, start, Math.Min(end, _plan.SinkTokens) - start, rows, stride);
        if (_ring is null) return;
        for (var token = Math.Max(codedEnd, start); token < end;)
        {
            var at = token % _ring.Capacity;
            var part = Math.Min(end - token, _ring.Capacity - at);
            _ring.Append(Ring(place), at, part, rows + (long)(token - start) * stride, stride);
            token += part;
        }
    }

    /// <summary>Copies a head's tokens from a side that holds <paramref name="length"/>.</summary>
    /// <param name="other">A side of the same spec, for another capacity.</param>
    /// <param name="from">The head there.</param>
    /// <param name="to">The head here.</param>
    /// <param name="length">Tokens.</param>
    /// <param name="isFirst">Whether what heads share comes along.</param>
    public void Take(KvSide<TStore> other, StorePlace from, StorePlace to, int length, bool isFirst)
    {
        var codedEnd = Math.Max(_plan.CodedEnd(length), Math.Min(length, _plan.SinkTokens));
        _sinks?.Take(other._sinks!, from, to, Math.Min(length, _plan.SinkTokens));
        _coded.Take(other._coded, other.Coded(from), Coded(to), Math.Max(0, codedEnd - _plan.SinkTokens));
        if (isFirst) _coded.TakeShared(other._coded, from, to, Math.Max(0, length - _plan.SinkTokens));
        var row = stackalloc float[_coded.HeadDim];
        for (var token = codedEnd; token < length; token++)
        {
            other._ring!.Read(other.Ring(from), token % other._ring.Capacity, row);
            _ring!.Append(Ring(to), token % _ring.Capacity, 1, row, _coded.HeadDim);
        }
    }

    private void Code(StorePlace place, int from, int to, int start, float* rows, int stride)
    {
        if (from >= to) return;
        var width = _coded.HeadDim;
        var gathered = stackalloc float[from < start ? _plan.Granule * width : 1];
        // Tokens from the ring, and the new ones that share a group with them.
        for (; from < to && from < start; from += _plan.Granule)
        {
            for (var i = 0; i < _plan.Granule; i++)
            {
                var token = from + i;
                if (token < start) _ring!.Read(Ring(place), token % _ring.Capacity, gathered + i * width);
                else new ReadOnlySpan<float>(rows + (long)(token - start) * stride, width)
                    .CopyTo(new Span<float>(gathered + i * width, width));
            }
            _coded.Append(Coded(place), from - _plan.SinkTokens, _plan.Granule, gathered, width);
        }
        if (from < to) _coded.Append(Coded(place), from - _plan.SinkTokens, to - from, rows + (long)(from - start) * stride, stride);
    }

    private StorePlace Coded(StorePlace place) => new(place.Head + _codedAt, place.Layer);

    private StorePlace Ring(StorePlace place) => new(place.Head + _ringAt, place.Layer);
}
