using KvPareto.Engine.Cache;
using KvPareto.Engine.Seam;

namespace KvPareto.Cpu.Storage;

/// <summary>Where everything of a cache lies, from shapes alone.</summary>
internal sealed class CpuKvLayout
{
    private readonly KvGeometry _geometry;
    private readonly long _meanBytes;
    private readonly long[] _layerAt;

    public CpuKvLayout(KvGeometry geometry, KvSpec spec, int capacity)
    {
        _geometry = geometry;
        _meanBytes = spec.SmoothKeys ? NativeBuffer.Aligned((long)geometry.KvHeads * geometry.HeadDim * sizeof(ushort)) : 0;
        var layers = SidePlan.OfLayers(geometry, spec, capacity).ToArray();
        Keys = [.. layers.Select(plan => StoreFactory.KeySide(plan.Keys))];
        Values = [.. layers.Select(plan => StoreFactory.ValueSide(plan.Values))];
        _layerAt = new long[layers.Length + 1];
        for (var layer = 0; layer < layers.Length; layer++) _layerAt[layer + 1] = _layerAt[layer] + MeansAt(layer) + _meanBytes;
        TurnsAt = _layerAt[^1];
        ByteCount = TurnsAt + (spec.PreBiasKeys ? PositionTurns.ByteCount(geometry.HeadDim, capacity) : 0);
    }

    /// <summary>Key side of each layer.</summary>
    public KvSide<KeyStore>[] Keys { get; }

    /// <summary>Value side of each layer.</summary>
    public KvSide<ValueStore>[] Values { get; }

    /// <summary>Where the table of <see cref="PositionTurns"/> begins.</summary>
    public long TurnsAt { get; }

    /// <summary>Bytes in all.</summary>
    public long ByteCount { get; }

    /// <summary>First byte of a layer.</summary>
    public long LayerAt(int layer) => _layerAt[layer];

    /// <summary>First byte of a head's keys within its layer.</summary>
    public long KeyAt(int layer, int head) => head * Keys[layer].HeadBytes;

    /// <summary>First byte of a head's values within its layer.</summary>
    public long ValueAt(int layer, int head) => KeyAt(layer, _geometry.KvHeads) + head * Values[layer].HeadBytes;

    /// <summary>First byte that the layer's keys share.</summary>
    public long KeysSharedAt(int layer) => ValueAt(layer, _geometry.KvHeads);

    /// <summary>First byte that the layer's values share.</summary>
    public long ValuesSharedAt(int layer) => KeysSharedAt(layer) + Keys[layer].LayerBytes;

    /// <summary>First byte of the layer's frozen means.</summary>
    public long MeansAt(int layer) => ValuesSharedAt(layer) + Values[layer].LayerBytes;
}
