using KvPareto.Engine.Cache;

namespace KvPareto.Engine.Cpu.Storage;

/// <summary>How the values of one layer and head lie in memory: tiles of 16 tokens, row after row, a lane a channel.</summary>
internal abstract unsafe class ValueStore(int headDim)
{
    /// <summary>Tokens of a tile.</summary>
    public const int TileTokens = KeyStore.TileTokens;

    /// <summary>D.</summary>
    public int HeadDim { get; } = headDim;

    /// <summary>Bytes of a tile.</summary>
    public abstract int TileBytes { get; }

    /// <summary>Floats of scratch that <see cref="Accumulate"/> needs for each row and token.</summary>
    public abstract int WeightsPerToken { get; }

    /// <summary>Codes <paramref name="count"/> tokens from row <paramref name="start"/> on; see <see cref="KeyStore.Append"/>.</summary>
    public abstract void Append(byte* head, int start, int count, float* rows, int stride);

    /// <summary>output[r] += Σ_t weights[r, t]·v[t] over a run of whole tiles.</summary>
    /// <param name="head">First byte of the head.</param>
    /// <param name="tile">First tile.</param>
    /// <param name="tileCount">Tiles.</param>
    /// <param name="weights">[R, …]; zero for tokens that do not count.</param>
    /// <param name="stride">From one row of weights to the next.</param>
    /// <param name="rows">R.</param>
    /// <param name="output">[R, D].</param>
    /// <param name="scratch">[R · 16·tileCount · <see cref="WeightsPerToken"/>].</param>
    public abstract void Accumulate(byte* head, int tile, int tileCount, float* weights, int stride, int rows, float* output, float* scratch);

    /// <summary>The tile's values, [16, D] with a row stride.</summary>
    public abstract void Unpack(byte* head, int tile, float* output, int stride);

    /// <summary>Bytes of one head with room for <paramref name="capacity"/> tokens.</summary>
    public long HeadBytes(int capacity) => (long)KeyStore.TileCount(capacity) * TileBytes;

    /// <summary>The store for a spec.</summary>
    public static ValueStore Create(KvSpec spec, int headDim) => spec.ValueBits switch
    {
        16 or 32 => new PlainValues(headDim, spec.ValueBits),
        _ => new TokenValues(headDim, spec.ValueBits, spec.ValueGranularity.Group),
    };
}
