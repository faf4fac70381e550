using KvPareto.Engine.Cache;

namespace KvPareto.Engine.Cpu.Storage;

/// <summary>
/// How the keys of one layer and head lie in memory: tiles of <see cref="TileTokens"/> tokens, a lane a token. A store holds no
/// memory of its own; every method is given the head's first byte.
/// </summary>
internal abstract unsafe class KeyStore(int headDim)
{
    /// <summary>Tokens of a tile.</summary>
    public const int TileTokens = 16;

    /// <summary>D.</summary>
    public int HeadDim { get; } = headDim;

    /// <summary>Bytes of a tile.</summary>
    public abstract int TileBytes { get; }

    /// <summary>Floats that <see cref="PrepareQueries"/> writes for each query.</summary>
    public abstract int QuerySums { get; }

    /// <summary>Codes <paramref name="count"/> tokens from row <paramref name="start"/> on.</summary>
    /// <param name="head">First byte of the head.</param>
    /// <param name="start">Row of the first token.</param>
    /// <param name="count">Tokens.</param>
    /// <param name="rows">[count, D] with a row stride.</param>
    /// <param name="stride">Elements from one token to the next.</param>
    /// <param name="mean">[D] subtracted from every row, or null.</param>
    public abstract void Append(byte* head, int start, int count, float* rows, int stride, float* mean);

    /// <summary>What <see cref="Dot"/> needs to know of the queries besides their values.</summary>
    public abstract void PrepareQueries(float* queries, int rows, float* sums);

    /// <summary>scores[r, t] = q[r]·k[t] for the 16 tokens of a tile.</summary>
    /// <param name="head">First byte of the head.</param>
    /// <param name="tile">Which tile.</param>
    /// <param name="queries">[R, D].</param>
    /// <param name="sums">From <see cref="PrepareQueries"/>.</param>
    /// <param name="rows">R.</param>
    /// <param name="scores">[R, 16] with a row stride.</param>
    /// <param name="stride">From one row of scores to the next.</param>
    public abstract void Dot(byte* head, int tile, float* queries, float* sums, int rows, float* scores, int stride);

    /// <summary>The tile's values as 16 columns of a panel, [D, 16] with a row stride.</summary>
    public abstract void Unpack(byte* head, int tile, float* panel, int stride);

    /// <summary>Bytes of one head with room for <paramref name="capacity"/> tokens.</summary>
    public long HeadBytes(int capacity) => (long)TileCount(capacity) * TileBytes;

    /// <summary>Tiles that <paramref name="tokens"/> tokens take.</summary>
    public static int TileCount(int tokens) => (tokens + TileTokens - 1) / TileTokens;

    /// <summary>The store for a spec.</summary>
    public static KeyStore Create(KvSpec spec, int headDim) => spec.KeyBits switch
    {
        16 or 32 => new PlainKeys(headDim, spec.KeyBits),
        _ => new TokenKeys(headDim, spec.KeyBits, spec.KeyGranularity.Group),
    };
}
