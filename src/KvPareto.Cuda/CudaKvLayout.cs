using KvPareto.Engine.Cache;

namespace KvPareto.Cuda;

/// <summary>Where everything of a cache lies, from shapes alone: for each layer keys, values, means; then what keys coded without bias
/// need.</summary>
internal sealed class CudaKvLayout
{
    private readonly long[] _layerAt;
    private readonly long _meanBytes;
    private readonly KvGeometry _geometry;

    public CudaKvLayout(KvGeometry geometry, KvSpec spec, int capacity)
    {
        _geometry = geometry;
        _meanBytes = spec.SmoothKeys ? SideLayout.Align((long)Width * sizeof(ushort)) : 0;
        var layers = SidePlan.OfLayers(geometry, spec, capacity).ToArray();
        Keys = [.. layers.Select(plan => new SideLayout(plan.Keys, geometry.KvHeads))];
        Values = [.. layers.Select(plan => new SideLayout(plan.Values, geometry.KvHeads))];
        _layerAt = new long[layers.Length + 1];
        for (var layer = 0; layer < layers.Length; layer++)
            _layerAt[layer + 1] = _layerAt[layer] + Keys[layer].ByteCount + Values[layer].ByteCount + _meanBytes;
        TurnsAt = BiasAt(layers.Length);
        ByteCount = spec.PreBiasKeys ? TurnsAt + SideLayout.Align((long)capacity * geometry.HeadDim * sizeof(float)) : _layerAt[^1];
    }

    /// <summary>Keys of each layer.</summary>
    public SideLayout[] Keys { get; }

    /// <summary>Values of each layer.</summary>
    public SideLayout[] Values { get; }

    /// <summary>Cosines and sines of every position, [capacity, D] f32.</summary>
    public long TurnsAt { get; }

    /// <summary>Bytes in all.</summary>
    public long ByteCount { get; }

    /// <summary>Whether an append of several <paramref name="chunk"/>s of tokens, the last of which may be shorter, leaves what appends of
    /// one after the other do, and each token sees what it would have seen then.</summary>
    public bool TakesAsOne(int start, int chunk) =>
        _meanBytes == 0 && Keys.All(side => side.TakesAsOne(start, chunk)) && Values.All(side => side.TakesAsOne(start, chunk));

    /// <summary>The stretches of bytes that hold so many tokens, from a cache of the same spec for another capacity to this one. Bias
    /// and turns, where keys are coded without their bias, stand in each already.</summary>
    public IEnumerable<ByteStretch> Taken(CudaKvLayout other, int length)
    {
        for (var layer = 0; layer < Keys.Length; layer++)
        {
            var (from, to) = (other._layerAt[layer], _layerAt[layer]);
            foreach (var part in Keys[layer].Taken(other.Keys[layer], length)) yield return new(from + part.From, to + part.To, part.Bytes);
            (from, to) = (from + other.Keys[layer].ByteCount, to + Keys[layer].ByteCount);
            foreach (var part in Values[layer].Taken(other.Values[layer], length))
                yield return new(from + part.From, to + part.To, part.Bytes);
            yield return new(from + other.Values[layer].ByteCount, to + Values[layer].ByteCount, _meanBytes);
        }
    }

    private int Width => _geometry.KvHeads * _geometry.HeadDim;

    /// <summary>A layer's key bias, [Nkv·D] f32.</summary>
    public long BiasAt(int layer) => _layerAt[^1] + layer * SideLayout.Align((long)Width * sizeof(float));

    /// <summary>A layer as kernels take it.</summary>
    public LayerCache At(nint address, int layer, KvSpec spec)
    {
        var keys = address + (nint)_layerAt[layer];
        var values = keys + (nint)Keys[layer].ByteCount;
        return new()
        {
            Keys = Keys[layer].At(keys),
            Values = Values[layer].At(values),
            Means = spec.SmoothKeys ? values + (nint)Values[layer].ByteCount : 0,
            Bias = spec.PreBiasKeys ? address + (nint)BiasAt(layer) : 0,
            Turns = spec.PreBiasKeys ? address + (nint)TurnsAt : 0,
        };
    }
}
