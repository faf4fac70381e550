using KvPareto.Cpu.Kernels;
using KvPareto.Cpu.Storage.Schemes;
using KvPareto.Engine.Cache;

namespace KvPareto.Cpu.Storage;

/// <summary>Where codes and scales of a block scheme lie in a head: all tiles, then all blocks' scales.</summary>
internal sealed unsafe class TokenBlockLayout
{
    private readonly TokenBlockScheme _scheme;
    private readonly long _metaBytes;
    private readonly long _metaAt;

    public TokenBlockLayout(TokenBlockScheme scheme, int capacity)
    {
        _scheme = scheme;
        TileBytes = scheme.HeadDim * scheme.Bits / 8 * KvTile.Tokens;
        _metaAt = TokenStore.TileCount(capacity) * TileBytes;
        _metaBytes = MetaBytes(capacity);
    }

    /// <summary>Code bytes of a tile.</summary>
    public long TileBytes { get; }

    /// <summary>Bytes of a head.</summary>
    public long HeadBytes => _metaAt + _metaBytes;

    /// <summary>Scales of the block that a token belongs to.</summary>
    public GroupMeta* Meta(StorePlace place, int token) =>
        (GroupMeta*)(place.Head + _metaAt) + (long)(token / _scheme.BlockTokens) * _scheme.Scales;

    /// <summary>The same, found anew at the first token of a block whose rows begin at <paramref name="rows"/>.</summary>
    public GroupMeta* MetaForAppend(StorePlace place, int token, float* rows, int stride)
    {
        var meta = Meta(place, token);
        if (!_scheme.FitsOnce && token % _scheme.BlockTokens == 0) _scheme.Fit(meta, rows, _scheme.BlockTokens, stride);
        return meta;
    }

    /// <summary>Copies the scales of the first tokens from a layout for another capacity.</summary>
    public void TakeMeta(TokenBlockLayout other, StorePlace from, StorePlace to, int tokens)
    {
        var bytes = MetaBytes(tokens);
        Buffer.MemoryCopy(other.Meta(from, 0), Meta(to, 0), bytes, bytes);
    }

    /// <summary>Finds scales that hold for good, at the first append.</summary>
    public void BeginAppend(StorePlace first, long headStride, int heads, int start, int count, float* rows, int stride)
    {
        if (!_scheme.FitsOnce || start > 0) return;
        for (var head = 0; head < heads; head++)
            _scheme.Fit(Meta(new(first.Head + head * headStride, first.Layer), 0), rows + head * _scheme.HeadDim, count, stride);
    }

    private long MetaBytes(int tokens)
    {
        var blocks = _scheme.BlockTokens == TokenBlockScheme.AllTokens ? 1 : (tokens + _scheme.BlockTokens - 1) / _scheme.BlockTokens;
        return (long)blocks * _scheme.Scales * GroupMeta.ByteSize;
    }
}
