using System.Numerics.Tensors;
using KvPareto.Engine.Cache;

namespace KvPareto.Engine.Cpu.Storage;

/// <summary>A cache in host memory: for each layer and head one run of key tiles and one of value tiles, and the frozen key means.</summary>
internal sealed unsafe class CpuKvCache : KvCache
{
    private readonly NativeBuffer _memory;
    private readonly long _keyBytes;
    private readonly long _valueBytes;
    private readonly bool[] _meanFrozen;

    public CpuKvCache(MemoryLedger ledger, KvGeometry geometry, KvSpec spec, int capacity) : base(geometry, spec, capacity)
    {
        Keys = KeyStore.Create(spec, geometry.HeadDim);
        Values = ValueStore.Create(spec, geometry.HeadDim);
        (_keyBytes, _valueBytes) = (Keys.HeadBytes(capacity), Values.HeadBytes(capacity));
        _meanFrozen = new bool[geometry.LayerCount];
        // Kernels read whole tiles; what no token has been written to must at least be finite.
        _memory = new NativeBuffer(ledger, MemoryCategory.KvCache, ByteCountOf(geometry, spec, _keyBytes, _valueBytes)).Clear();
    }

    public KeyStore Keys { get; }

    public ValueStore Values { get; }

    public override long ByteCount => _memory.ByteCount;

    private long LayerBytes => LayerBytesOf(Geometry, Spec, _keyBytes, _valueBytes);

    /// <summary>Bytes that a cache of this shape takes.</summary>
    public static long PredictByteCount(KvGeometry geometry, KvSpec spec, int capacity) => ByteCountOf(
        geometry, spec, KeyStore.Create(spec, geometry.HeadDim).HeadBytes(capacity), ValueStore.Create(spec, geometry.HeadDim).HeadBytes(capacity));

    public byte* KeyHead(int layer, int head) => Layer(layer) + head * _keyBytes;

    public byte* ValueHead(int layer, int head) => Layer(layer) + Geometry.KvHeads * _keyBytes + head * _valueBytes;

    /// <summary>Freezes the mean of a smoothed cache's first append; must precede <see cref="Append"/> of any of its tokens.</summary>
    public void FreezeMean(int layer, int head, int count, float* keys, int keyStride)
    {
        if (!Spec.SmoothKeys || _meanFrozen[layer]) return;
        var mean = Mean(layer, head);
        for (var d = 0; d < mean.Length; d++)
        {
            var sum = 0.0;
            for (var i = 0; i < count; i++) sum += keys[(long)i * keyStride + d];
            mean[d] = (Half)(float)(sum / count);
        }
    }

    /// <summary>Codes the keys and values of some of one head's new tokens.</summary>
    public void Append(int layer, int head, int start, int count, float* keys, int keyStride, float* values, int valueStride)
    {
        var mean = stackalloc float[Geometry.HeadDim];
        if (Spec.SmoothKeys) TensorPrimitives.ConvertToSingle(Mean(layer, head), new Span<float>(mean, Geometry.HeadDim));
        Keys.Append(KeyHead(layer, head), start, count, keys, keyStride, Spec.SmoothKeys ? mean : null);
        Values.Append(ValueHead(layer, head), start, count, values, valueStride);
    }

    /// <summary>Called once all heads of a layer have been appended to.</summary>
    public void EndAppend(int layer) => _meanFrozen[layer] = true;

    public override void Reset()
    {
        base.Reset();
        Array.Clear(_meanFrozen);
    }

    public override void Unpack(int layer, Span<float> keys, Span<float> values)
    {
        const int Tile = KeyStore.TileTokens;
        var (heads, width) = (Geometry.KvHeads, Geometry.HeadDim);
        var buffer = new float[Tile * width];
        fixed (float* tile = buffer)
        {
            for (var head = 0; head < heads; head++)
            {
                for (var t = 0; t < Length; t++)
                {
                    var row = (t * heads + head) * width;
                    Keys.Unpack(KeyHead(layer, head), t / Tile, tile, Tile);
                    for (var d = 0; d < width; d++) keys[row + d] = tile[d * Tile + t % Tile] + (Spec.SmoothKeys ? (float)Mean(layer, head)[d] : 0);
                    Values.Unpack(ValueHead(layer, head), t / Tile, tile, width);
                    buffer.AsSpan(t % Tile * width, width).CopyTo(values[row..]);
                }
            }
        }
    }

    public override void Dispose() => _memory.Dispose();

    private static long ByteCountOf(KvGeometry geometry, KvSpec spec, long keyBytes, long valueBytes) =>
        geometry.LayerCount * LayerBytesOf(geometry, spec, keyBytes, valueBytes);

    // Keys, values, and the frozen means of smoothed keys.
    private static long LayerBytesOf(KvGeometry geometry, KvSpec spec, long keyBytes, long valueBytes) =>
        geometry.KvHeads * (keyBytes + valueBytes + (spec.SmoothKeys ? geometry.HeadDim * sizeof(ushort) : 0));

    private byte* Layer(int layer) => _memory.As<byte>() + layer * LayerBytes;

    private Span<Half> Mean(int layer, int head) =>
        new((Half*)(Layer(layer) + Geometry.KvHeads * (_keyBytes + _valueBytes)) + head * Geometry.HeadDim, Geometry.HeadDim);
}
