using KvPareto.Cpu.Kernels;

namespace KvPareto.Cpu.Storage;

/// <summary>
/// How the keys or values of one layer and head lie in memory: tiles of <see cref="KvTile.Tokens"/> tokens, appended in place and never
/// repacked. A store holds no memory of its own; every method is told the place. Tokens are counted from the store's first.
/// </summary>
/// <param name="headDim">D.</param>
/// <param name="capacity">Tokens it has room for.</param>
internal abstract unsafe class TokenStore(int headDim, int capacity)
{
    /// <summary>D.</summary>
    public int HeadDim { get; } = headDim;

    /// <summary>Tokens it has room for.</summary>
    public int Capacity { get; } = capacity;

    /// <summary>Tokens that can only be coded together.</summary>
    public virtual int Granule => 1;

    /// <summary>Bytes of one head.</summary>
    public virtual long HeadBytes => (long)TileCount(Capacity) * TileBytes;

    /// <summary>Bytes of a tile that all heads of a layer share.</summary>
    public virtual int LayerTileBytes => 0;

    /// <summary>Bytes that all heads of a layer share.</summary>
    public long LayerBytes => (long)TileCount(Capacity) * LayerTileBytes;

    /// <summary>Bytes from one tile to the next; a head begins with its tiles.</summary>
    public abstract int TileBytes { get; }

    /// <summary>Told once of everything that an append brings to a layer, before <see cref="Append"/> of any of it.</summary>
    /// <param name="first">Place of the layer's first head.</param>
    /// <param name="headStride">Bytes from one head to the next.</param>
    /// <param name="heads">Nkv.</param>
    /// <param name="start">Token of the first row.</param>
    /// <param name="count">Rows.</param>
    /// <param name="rows">[count, heads·D] with a row stride, as they will be coded.</param>
    /// <param name="stride">Elements from one row to the next.</param>
    public virtual void BeginAppend(StorePlace first, long headStride, int heads, int start, int count, float* rows, int stride) { }

    /// <summary>Codes tokens of one head.</summary>
    /// <param name="place">Which head.</param>
    /// <param name="start">First token; a multiple of <see cref="Granule"/>.</param>
    /// <param name="count">Tokens; a multiple of <see cref="Granule"/>.</param>
    /// <param name="rows">[count, D] with a row stride.</param>
    /// <param name="stride">Elements from one token to the next.</param>
    public abstract void Append(StorePlace place, int start, int count, float* rows, int stride);

    /// <summary>Copies the first tokens of a head from a store of the same kind, for another capacity.</summary>
    /// <param name="other">The store.</param>
    /// <param name="from">The head there.</param>
    /// <param name="to">The head here.</param>
    /// <param name="tokens">Tokens that are coded there.</param>
    public virtual void Take(TokenStore other, StorePlace from, StorePlace to, int tokens) =>
        Copy(from.Head, to.Head, (long)TileCount(tokens) * TileBytes);

    /// <summary>Copies what heads share of the first tokens, coded or not, as far as both stores have room.</summary>
    public void TakeShared(TokenStore other, StorePlace from, StorePlace to, int tokens) =>
        Copy(from.Layer, to.Layer, (long)TileCount(Math.Min(tokens, Math.Min(Capacity, other.Capacity))) * LayerTileBytes);

    /// <summary>Copies bytes.</summary>
    protected static void Copy(byte* from, byte* to, long bytes) => Buffer.MemoryCopy(from, to, bytes, bytes);

    /// <summary>One token's values [D].</summary>
    public abstract void Read(StorePlace place, int token, float* row);

    /// <summary>Tiles that <paramref name="tokens"/> tokens take.</summary>
    public static int TileCount(int tokens) => (tokens + KvTile.Tokens - 1) / KvTile.Tokens;
}

/// <summary>Keys: a lane of a tile is a token.</summary>
internal abstract unsafe class KeyStore(int headDim, int capacity) : TokenStore(headDim, capacity)
{
    /// <summary>scores[r, t] = q[r]·k[t] for the tokens of a run of tiles.</summary>
    /// <param name="place">Which head.</param>
    /// <param name="tile">First tile.</param>
    /// <param name="tileCount">Tiles.</param>
    /// <param name="queries">[R, D].</param>
    /// <param name="rows">R.</param>
    /// <param name="scores">[R, 16·tileCount] with a row stride.</param>
    /// <param name="stride">From one row of scores to the next.</param>
    public abstract void Dot(StorePlace place, int tile, int tileCount, float* queries, int rows, float* scores, int stride);

    /// <summary>A tile's values as 16 columns of a panel, [D, 16] with a row stride.</summary>
    public abstract void Unpack(StorePlace place, int tile, float* panel, int stride);

    /// <summary>Packs one token's codes, a byte each, into its column of a tile's bytes, [D·bits/8, 16].</summary>
    protected void Put(byte* codes, int bits, byte* tile, int token)
    {
        var packed = stackalloc byte[HeadDim];
        GroupEncoder.Pack(codes, HeadDim, bits, packed);
        for (var b = 0; b < HeadDim * bits / 8; b++) tile[b * KvTile.Tokens + token] = packed[b];
    }

    public override void Read(StorePlace place, int token, float* row)
    {
        var panel = stackalloc float[HeadDim * KvTile.Tokens];
        Unpack(place, token / KvTile.Tokens, panel, KvTile.Tokens);
        for (var d = 0; d < HeadDim; d++) row[d] = panel[d * KvTile.Tokens + token % KvTile.Tokens];
    }
}

/// <summary>Values: a lane is a byte of a token's packed row.</summary>
internal abstract unsafe class ValueStore(int headDim, int capacity) : TokenStore(headDim, capacity)
{
    /// <summary>output[r] += Σ_t weights[r, t]·v[t] over a block of whole tiles.</summary>
    /// <param name="place">Which head.</param>
    /// <param name="tile">First tile.</param>
    /// <param name="tileCount">Tiles.</param>
    /// <param name="weights">[R, 16·tileCount]; zero for tokens that do not count.</param>
    /// <param name="stride">From one row of weights to the next.</param>
    /// <param name="rows">R.</param>
    /// <param name="output">[R, D].</param>
    /// <param name="scratch">[R · 16·tileCount · max(1, D/8)].</param>
    public abstract void Accumulate(
        StorePlace place, int tile, int tileCount, float* weights, int stride, int rows, float* output, float* scratch);

    /// <summary>A tile's values, [16, D] with a row stride.</summary>
    public abstract void Unpack(StorePlace place, int tile, float* output, int stride);

    public override void Read(StorePlace place, int token, float* row)
    {
        var tile = stackalloc float[HeadDim * KvTile.Tokens];
        Unpack(place, token / KvTile.Tokens, tile, HeadDim);
        new ReadOnlySpan<float>(tile + token % KvTile.Tokens * HeadDim, HeadDim).CopyTo(new Span<float>(row, HeadDim));
    }
}
