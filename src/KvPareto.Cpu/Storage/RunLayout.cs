using KvPareto.Cpu.Storage.Schemes;
using KvPareto.Engine.Cache;

namespace KvPareto.Cpu.Storage;

/// <summary>Where codes and scales of a run scheme lie in a head: all tiles, then all runs' scales.</summary>
internal sealed unsafe class RunLayout
{
    private readonly RunScheme _scheme;
    private readonly int _runs;
    private readonly long _metaAt;

    public RunLayout(RunScheme scheme, int capacity)
    {
        _scheme = scheme;
        TileBytes = scheme.HeadDim * scheme.Bits / 8 * TokenStore.TileTokens;
        _metaAt = TokenStore.TileCount(capacity) * TileBytes;
        _runs = scheme.RunTokens == RunScheme.AllTokens ? 1 : (capacity + scheme.RunTokens - 1) / scheme.RunTokens;
    }

    /// <summary>Code bytes of a tile.</summary>
    public long TileBytes { get; }

    /// <summary>Bytes of a head.</summary>
    public long HeadBytes => _metaAt + (long)_runs * _scheme.Scales * GroupMeta.ByteSize;

    /// <summary>Scales of the run that a token belongs to.</summary>
    public GroupMeta* Meta(StorePlace place, int token) =>
        (GroupMeta*)(place.Head + _metaAt)
            + (_scheme.RunTokens == RunScheme.AllTokens ? 0 : (long)(token / _scheme.RunTokens) * _scheme.Scales);

    /// <summary>The same, found anew at the first token of a run whose rows begin at <paramref name="rows"/>.</summary>
    public GroupMeta* MetaForAppend(StorePlace place, int token, float* rows, int stride)
    {
        var meta = Meta(place, token);
        if (!_scheme.FitsOnce && token % _scheme.RunTokens == 0) _scheme.Fit(meta, rows, _scheme.RunTokens, stride);
        return meta;
    }

    /// <summary>Finds scales that hold for good, at the first append.</summary>
    public void BeginAppend(ReadOnlySpan<StorePlace> heads, int start, int count, float* rows, int stride)
    {
        if (!_scheme.FitsOnce || start > 0) return;
        for (var head = 0; head < heads.Length; head++) _scheme.Fit(Meta(heads[head], 0), rows + head * _scheme.HeadDim, count, stride);
    }
}
