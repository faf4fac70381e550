using KvPareto.Engine.Cache;
using KvPareto.Engine.Seam;
using TorchSharp;

namespace KvPareto.Torch;

/// <summary>A cache in PyTorch's memory: for each layer keys, values, means; then what keys coded without bias need.</summary>
internal sealed class TorchKvCache : KvCache
{
    private readonly TorchCodes _codec;
    private readonly TorchSide[] _keys;
    private readonly TorchSide[] _values;
    private readonly torch.Tensor?[] _means; // [Nkv, 1, D] f16
    private readonly torch.Tensor?[] _biases; // [Nkv, 1, D] f32
    private readonly torch.Tensor? _turns; // [capacity, D] f32, cosines and sines of every position
    private readonly List<TorchBuffer> _buffers = []; // of all these

    public TorchKvCache(MemoryLedger ledger, TorchCodes codec, KvGeometry geometry, KvSpec spec, int capacity)
        : base(geometry, spec, capacity)
    {
        _codec = codec;
        var layers = geometry.LayerCount;
        (_keys, _values, _means, _biases) =
            (new TorchSide[layers], new TorchSide[layers], new torch.Tensor?[layers], new torch.Tensor?[layers]);
        long[] vector = [geometry.KvHeads, 1, geometry.HeadDim];
        try
        {
            for (var layer = 0; layer < layers; layer++)
            {
                var own = spec.ForLayer(layer, layers);
                _keys[layer] = new(codec, Shape(geometry, own, own.Keys, capacity), Zeros);
                _values[layer] = new(codec, Shape(geometry, own, own.Values, capacity), Zeros);
                if (spec.SmoothKeys) _means[layer] = Zeros(torch.ScalarType.Float16, vector);
                if (spec.PreBiasKeys) _biases[layer] = Keep(torch.tensor(geometry.KeyBias!.Layers[layer], vector, device: codec.Device));
            }
            if (spec.PreBiasKeys)
                _turns = Keep(
                    torch.tensor(Turns(geometry.KeyBias!, capacity), [capacity, geometry.HeadDim], device: codec.Device));
        }
        catch
        {
            Dispose();
            throw;
        }
        ByteCount = PredictByteCount(geometry, spec, capacity);

        torch.Tensor Zeros(torch.ScalarType type, long[] size) => Keep(torch.zeros(size, dtype: type, device: codec.Device));

        torch.Tensor Keep(torch.Tensor data)
        {
            _buffers.Add(new TorchBuffer(ledger, MemoryCategory.KvCache, data));
            return data;
        }
    }

    public override long ByteCount { get; }

    /// <summary>A tensor of the cache's device, for scripts that make others there.</summary>
    public torch.Tensor Sample => _codec.Shifts(8);

    /// <summary>Bytes of a cache, from shapes alone.</summary>
    public static long PredictByteCount(KvGeometry geometry, KvSpec spec, int capacity)
    {
        var layers = geometry.LayerCount;
        var vector = (long)geometry.KvHeads * geometry.HeadDim;
        var sides = Enumerable.Range(0, layers).Select(layer => spec.ForLayer(layer, layers))
            .Sum(own => Shape(geometry, own, own.Keys, capacity).ByteCount + Shape(geometry, own, own.Values, capacity).ByteCount);
        return sides + (spec.SmoothKeys ? layers * vector * sizeof(ushort) : 0)
            + (spec.PreBiasKeys ? layers * vector * sizeof(float) + (long)capacity * geometry.HeadDim * sizeof(float) : 0);
    }

    /// <summary>Stores a step's rows, [T, Nkv·D] each, from token <paramref name="start"/> on.</summary>
    public void Append(int layer, int start, torch.Tensor keys, torch.Tensor values)
    {
        using var scope = torch.NewDisposeScope();
        var k = Rows(keys);
        if (Bias(layer, start, (int)keys.size(0)) is { } bias) k = TorchScripts.Tensor("minus", k, bias);
        if (_means[layer] is { } mean)
        {
            if (start == 0) mean.copy_(k.to(torch.ScalarType.Float64).mean([1], keepdim: true).to(torch.ScalarType.Float32));
            k = TorchScripts.Tensor("minus", k, mean);
        }
        _keys[layer].Append(Spec.Rotation != KvRotation.None ? Rotate(k) : k, start);
        var v = Rows(values);
        _values[layer].Append(Spec.Rotation == KvRotation.KeysAndValues ? Rotate(v) : v, start);
    }

    /// <summary>Keys of tokens first … stop − 1 as scores take them, [Nkv, stop − first, D]: rotated, without the mean, with the
    /// bias.</summary>
    public torch.Tensor Keys(int layer, int first, int stop)
    {
        using var scope = torch.NewDisposeScope();
        var rows = _keys[layer].Read(first, stop, Length);
        if (Bias(layer, first, stop - first) is { } bias)
            rows = TorchScripts.Tensor(
                "plus", rows.to(torch.ScalarType.Float32), Spec.Rotation != KvRotation.None ? Rotate(bias) : bias);
        return rows.MoveToOuterDisposeScope();
    }

    /// <summary>Values of tokens first … stop − 1, [Nkv, stop − first, D]: rotated.</summary>
    public torch.Tensor Values(int layer, int first, int stop) => _values[layer].Read(first, stop, Length);

    /// <summary>x·H over the last dimension.</summary>
    public torch.Tensor Rotate(torch.Tensor x)
    {
        var matrix = _codec.Hadamard(Geometry.HeadDim);
        return TorchScripts.Tensor("product", x.to(matrix.dtype), matrix).to(torch.ScalarType.Float32);
    }

    public override void Unpack(int layer, Span<float> keys, Span<float> values)
    {
        using var k = TorchMemory.Scoped(() =>
        {
            var rows = Keys(layer, 0, Length);
            if (Spec.Rotation != KvRotation.None) rows = Rotate(rows);
            return (_means[layer] is { } mean ? TorchScripts.Tensor("plus", rows, mean) : rows).permute(1, 0, 2);
        });
        TorchBuffer.ToHost(k, keys);
        using var v = TorchMemory.Scoped(() =>
        {
            var rows = Values(layer, 0, Length);
            return (Spec.Rotation == KvRotation.KeysAndValues ? Rotate(rows) : rows).permute(1, 0, 2);
        });
        TorchBuffer.ToHost(v, values);
    }

    public override void Dispose()
    {
        foreach (var buffer in _buffers) buffer.Dispose();
    }

    // [T, Nkv·D] as [Nkv, T, D] f32.
    private torch.Tensor Rows(torch.Tensor x) =>
        x.to(torch.ScalarType.Float32).reshape(x.size(0), Geometry.KvHeads, Geometry.HeadDim).permute(1, 0, 2);

    private torch.Tensor? Bias(int layer, int first, int count) =>
        _biases[layer] is { } bias ? TorchScripts.Tensor("turned", bias, _turns!.narrow(0, first, count)) : null;

    private static SideShape Shape(KvGeometry geometry, KvSpec spec, SideSpec side, int capacity) =>
        new(new SidePlan(spec, side, geometry.HeadDim, capacity), geometry.KvHeads);

    private static float[] Turns(KeyBias bias, int capacity)
    {
        var rotary = new RotaryBias(bias);
        var turns = new float[capacity * rotary.HeadDim];
        for (var position = 0; position < capacity; position++)
            rotary.Turns(position, turns.AsSpan(position * rotary.HeadDim, rotary.HeadDim));
        return turns;
    }
}
