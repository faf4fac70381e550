using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using KvPareto.Cpu.Kernels;
using KvPareto.Engine.Cache;
using KvPareto.Engine.Seam;

namespace KvPareto.Cpu.Storage;

/// <summary>
/// A cache in host memory. For each layer: the heads' keys, the heads' values, what heads share, the frozen key means. Keys and values
/// are transformed as the spec says (bias, mean, rotation) before they are stored, in place in the caller's tensors.
/// </summary>
internal sealed unsafe class CpuKvCache : KvCache
{
    private const float HalfEnd = 65520; // from which on f16 has infinity

    private readonly NativeBuffer _memory;
    private readonly CpuKvLayout _layout;
    private readonly bool[] _meanFrozen;

    public CpuKvCache(MemoryLedger ledger, KvGeometry geometry, KvSpec spec, int capacity) : base(geometry, spec, capacity)
    {
        _layout = new CpuKvLayout(geometry, spec, capacity);
        _meanFrozen = new bool[geometry.LayerCount];
        // Kernels read whole tiles; what no token has been written to must at least be finite.
        _memory = new NativeBuffer(ledger, MemoryCategory.KvCache, _layout.ByteCount).Clear();
        if (!spec.PreBiasKeys) return;
        Turns = new PositionTurns(geometry.KeyBias!, _memory.As<byte>() + _layout.TurnsAt, capacity);
    }

    public override long ByteCount => _memory.ByteCount;

    /// <summary>Bias terms of keys coded without their bias; null where there are none.</summary>
    public PositionTurns? Turns { get; }

    /// <summary>Bytes of a cache: the size that the constructor allocates.</summary>
    public static long PredictByteCount(KvGeometry geometry, KvSpec spec, int capacity) =>
        new CpuKvLayout(geometry, spec, capacity).ByteCount;

    /// <summary>
    /// Whether it was given what it cannot hold: a number that is none, infinite, or at 16 bits beyond f16. Kernels read f16 as if there
    /// were neither, which is quicker, and scales that are found once take no notice of what comes later; so all that attends to such a
    /// cache has to be made NaN.
    /// </summary>
    public bool IsBroken { get; private set; }

    /// <summary>Where the keys of a head lie, up to the present length.</summary>
    public TokenRanges<KeyStore> Keys(int layer, int head) => _layout.Keys[layer].Ranges(KeyPlace(layer, head), Length);

    /// <summary>Where the values of a head lie.</summary>
    public TokenRanges<ValueStore> Values(int layer, int head) => _layout.Values[layer].Ranges(ValuePlace(layer, head), Length);

    /// <summary>Whether the tokens of an append can be stored apart from each other.</summary>
    public bool IsDivisible(int layer) => _layout.Keys[layer].IsDivisible && _layout.Values[layer].IsDivisible;

    /// <summary>Whether anything is done to keys or values before they are stored.</summary>
    public bool Transforms => Spec.SmoothKeys || Spec.PreBiasKeys || Spec.Rotation != KvRotation.None;

    /// <summary>Prepares one head's new rows for storing, in place. The first append of a smoothed cache freezes the head's mean.</summary>
    /// <param name="layer">Layer.</param>
    /// <param name="head">Key head.</param>
    /// <param name="positions">Positions of the rows.</param>
    /// <param name="keys">[rows, D] with a row stride.</param>
    /// <param name="keyStride">Elements from one key to the next.</param>
    /// <param name="values">The same of values.</param>
    /// <param name="valueStride">Elements from one value to the next.</param>
    public void Transform(int layer, int head, ReadOnlySpan<int> positions, float* keys, int keyStride, float* values, int valueStride)
    {
        var width = Geometry.HeadDim;
        if (Spec.PreBiasKeys)
        {
            for (var i = 0; i < positions.Length; i++)
                Geometry.KeyBias!.Add(layer, head, positions[i], new Span<float>(keys + (long)i * keyStride, width), -1);
        }
        if (Spec.SmoothKeys)
        {
            var mean = stackalloc float[width];
            if (!_meanFrozen[layer]) FreezeMean(Mean(layer, head), positions.Length, keys, keyStride);
            TensorPrimitives.ConvertToSingle(Mean(layer, head), new Span<float>(mean, width));
            for (var i = 0; i < positions.Length; i++)
            {
                var row = new Span<float>(keys + (long)i * keyStride, width);
                TensorPrimitives.Subtract(row, new ReadOnlySpan<float>(mean, width), row);
            }
        }
        if (Spec.Rotation == KvRotation.None) return;
        for (var i = 0; i < positions.Length; i++)
        {
            Hadamard.Transform(keys + (long)i * keyStride, width);
            if (Spec.Rotation == KvRotation.KeysAndValues) Hadamard.Transform(values + (long)i * valueStride, width);
        }
    }

    /// <summary>Tells the stores of a layer what the append brings; after <see cref="Transform"/> of all heads, before
    /// <see cref="Append"/>.</summary>
    /// <param name="layer">Layer.</param>
    /// <param name="start">First token.</param>
    /// <param name="count">Tokens.</param>
    /// <param name="keys">[count, Nkv·D] with a row stride.</param>
    /// <param name="keyStride">Elements from one row to the next.</param>
    /// <param name="values">The same of values.</param>
    /// <param name="valueStride">Elements from one row to the next.</param>
    public void BeginAppend(int layer, int start, int count, float* keys, int keyStride, float* values, int valueStride)
    {
        _layout.Keys[layer].BeginAppend(KeyPlace(layer, 0), Geometry.KvHeads, start, count, keys, keyStride);
        _layout.Values[layer].BeginAppend(ValuePlace(layer, 0), Geometry.KvHeads, start, count, values, valueStride);
        _meanFrozen[layer] = true;
    }

    /// <summary>Stores some of one head's new tokens; after <see cref="BeginAppend"/>. Heads are apart from each other, and so are a
    /// head's tokens where the layer <see cref="IsDivisible"/>: any threads may do them.</summary>
    /// <param name="layer">Layer.</param>
    /// <param name="head">Key head.</param>
    /// <param name="start">First of these tokens.</param>
    /// <param name="count">Tokens.</param>
    /// <param name="keys">[count, D] with a row stride.</param>
    /// <param name="keyStride">Elements from one key to the next.</param>
    /// <param name="values">The same of values.</param>
    /// <param name="valueStride">Elements from one value to the next.</param>
    public void Append(int layer, int head, int start, int count, float* keys, int keyStride, float* values, int valueStride)
    {
        _layout.Keys[layer].Append(KeyPlace(layer, head), start, count, keys, keyStride);
        _layout.Values[layer].Append(ValuePlace(layer, head), start, count, values, valueStride);
        CheckNumbers(_layout.Keys[layer].HasHalves, count, keys, keyStride);
        CheckNumbers(_layout.Values[layer].HasHalves, count, values, valueStride);
    }

    public override void Reset()
    {
        base.Reset();
        // Weights of zero do not hide a NaN in a tile that new tokens begin to fill.
        if (IsBroken) NativeMemory.Clear(_memory.As<byte>(), (nuint)_layout.TurnsAt);
        IsBroken = false;
        Array.Clear(_meanFrozen);
    }

    protected override void TakeCore(KvCache other)
    {
        var from = (CpuKvCache)other;
        for (var layer = 0; layer < Geometry.LayerCount; layer++)
        {
            for (var head = 0; head < Geometry.KvHeads; head++)
            {
                _layout.Keys[layer].Take(
                    from._layout.Keys[layer], from.KeyPlace(layer, head), KeyPlace(layer, head), other.Length, isFirst: head == 0);
                _layout.Values[layer].Take(
                    from._layout.Values[layer], from.ValuePlace(layer, head), ValuePlace(layer, head), other.Length, isFirst: head == 0);
                if (Spec.SmoothKeys) from.Mean(layer, head).CopyTo(Mean(layer, head));
            }
        }
        IsBroken = from.IsBroken;
        from._meanFrozen.CopyTo(_meanFrozen, 0);
    }

    public override void Unpack(int layer, Span<float> keys, Span<float> values)
    {
        var (heads, width) = (Geometry.KvHeads, Geometry.HeadDim);
        for (var head = 0; head < heads; head++)
        {
            var (keyRanges, valueRanges) = (Keys(layer, head), Values(layer, head));
            for (var token = 0; token < Length; token++)
            {
                var at = (token * heads + head) * width;
                fixed (float* key = keys.Slice(at, width))
                {
                    Read(keyRanges, token, key);
                    if (Spec.Rotation != KvRotation.None) Hadamard.Transform(key, width);
                    if (Spec.SmoothKeys) for (var d = 0; d < width; d++) key[d] += (float)Mean(layer, head)[d];
                    if (Spec.PreBiasKeys) Geometry.KeyBias!.Add(layer, head, token, new Span<float>(key, width), 1);
                }
                fixed (float* value = values.Slice(at, width))
                {
                    Read(valueRanges, token, value);
                    if (Spec.Rotation == KvRotation.KeysAndValues) Hadamard.Transform(value, width);
                }
            }
        }
    }

    public override void Dispose() => _memory.Dispose();

    private static void Read<TStore>(TokenRanges<TStore> ranges, int token, float* row) where TStore : TokenStore
    {
        for (var i = 0; i < ranges.Count; i++)
        {
            var range = ranges[i];
            if (token >= range.First && token < range.End) range.Store.Read(range.Place, token - range.Origin, row);
        }
    }

    private void CheckNumbers(bool asHalves, int count, float* rows, int stride)
    {
        var end = asHalves ? HalfEnd : float.PositiveInfinity;
        for (var i = 0; i < count; i++)
        {
            var row = new ReadOnlySpan<float>(rows + (long)i * stride, Geometry.HeadDim);
            if (!(MathF.Abs(TensorPrimitives.MaxMagnitude(row)) < end)) IsBroken = true;
        }
    }

    private byte* Layer(int layer) => _memory.As<byte>() + _layout.LayerAt(layer);

    private StorePlace KeyPlace(int layer, int head) =>
        new(Layer(layer) + _layout.KeyAt(layer, head), Layer(layer) + _layout.KeysSharedAt(layer));

    private StorePlace ValuePlace(int layer, int head) =>
        new(Layer(layer) + _layout.ValueAt(layer, head), Layer(layer) + _layout.ValuesSharedAt(layer));

    private Span<Half> Mean(int layer, int head) =>
        new((Half*)(Layer(layer) + _layout.MeansAt(layer)) + head * Geometry.HeadDim, Geometry.HeadDim);

    private static void FreezeMean(Span<Half> mean, int count, float* keys, int stride)
    {
        for (var d = 0; d < mean.Length; d++)
        {
            var sum = 0.0;
            for (var i = 0; i < count; i++) sum += keys[(long)i * stride + d];
            mean[d] = (Half)(float)(sum / count);
        }
    }
}
