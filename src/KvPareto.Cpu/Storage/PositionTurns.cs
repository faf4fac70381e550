using KvPareto.Engine.Cache;

namespace KvPareto.Cpu.Storage;

/// <summary>
/// What keys coded without their bias need when they are read: q·RoPE(b, t) for every position t. It is a product of a vector made of
/// q and b with the cosines and sines of t, so one table for all layers and heads, held as f32 keys [cos ‖ sin], gives it with the
/// kernels that multiply with keys.
/// </summary>
internal sealed unsafe class PositionTurns
{
    private readonly RotaryBias _bias;
    private readonly PlainKeys _store;
    private readonly StorePlace _place;
    private int _filled;

    public PositionTurns(RotaryBias bias, byte* memory, int capacity)
    {
        (_bias, _place) = (bias, new StorePlace(memory, null));
        _store = new PlainKeys(bias.Rope.HeadDim, 32, capacity);
    }

    private int Half => _store.HeadDim / 2;

    /// <summary>Bytes of the table.</summary>
    public static long ByteCount(int headDim, int capacity) => new PlainKeys(headDim, 32, capacity).HeadBytes;

    /// <summary>The table as a stretch of keys.</summary>
    public TokenRange<KeyStore> Range(int length) => new(_store, _place, 0, length, 0);

    /// <summary>Fills the table up to position <paramref name="length"/> − 1; not at the same time from two threads.</summary>
    public void Extend(int length)
    {
        var row = stackalloc float[_store.HeadDim];
        for (; _filled < length; _filled++)
        {
            _bias.Rope.Turns([_filled], new Span<float>(row, _store.HeadDim));
            _store.Append(_place, _filled, 1, row, _store.HeadDim);
        }
    }

    /// <summary>The vectors whose product with the table is q·RoPE(b, t).</summary>
    /// <param name="layer">Layer.</param>
    /// <param name="head">Key head.</param>
    /// <param name="queries">[rows, D], not rotated.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="result">[rows, D].</param>
    public void Queries(int layer, int head, float* queries, int rows, float* result)
    {
        var bias = _bias.Of(layer, head);
        for (var r = 0; r < rows; r++, queries += _store.HeadDim, result += _store.HeadDim)
        {
            for (var i = 0; i < Half; i++)
            {
                result[i] = queries[i] * bias[i] + queries[Half + i] * bias[Half + i];
                result[Half + i] = queries[Half + i] * bias[i] - queries[i] * bias[Half + i];
            }
        }
    }
}
