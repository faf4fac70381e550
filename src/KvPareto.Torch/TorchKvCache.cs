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
    private readonly TorchBuffer?[] _means; // [Nkv, 1, D] f16
    private readonly TorchBuffer?[] _biases; // [Nkv, 1, D] f32
    private readonly TorchBuffer? _turns; // [capacity, D] f32, cosines and sines of every position

    public TorchKvCache(MemoryLedger ledger, TorchCodes codec, KvGeometry geometry, KvSpec spec, int capacity)
        : base(geometry, spec, capacity)
    {
        _codec = codec;
        var layers = geometry.LayerCount;
        (_keys, _values, _means, _biases) =
            (new TorchSide[layers], new TorchSide[layers], new TorchBuffer?[layers], new TorchBuffer?[layers]);
        long[] vector = [geometry.KvHeads, 1, geometry.HeadDim];
        for (var layer = 0; layer < layers; layer++)
        {
            var own = spec.ForLayer(layer, layers);
            _keys[layer] = new(ledger, codec, Shape(geometry, own, own.Keys, capacity));
            _values[layer] = new(ledger, codec, Shape(geometry, own, own.Values, capacity));
            if (spec.SmoothKeys)
                _means[layer] =
                    new(ledger, MemoryCategory.KvCache, torch.zeros(vector, dtype: torch.ScalarType.Float16, device: codec.Device));
            if (spec.PreBiasKeys)
                _biases[layer] =
                    new(ledger, MemoryCategory.KvCache, torch.tensor(geometry.KeyBias!.Layers[layer], vector, device: codec.Device));
        }
        if (spec.PreBiasKeys)
            _turns = new(
                ledger, MemoryCategory.KvCache,
                    torch.tensor(Turns(geometry.KeyBias!, capacity), [capacity, geometry.HeadDim], device: codec.Device));
        ByteCount = PredictByteCount(geometry, spec, capacity);
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
        if (Bias(layer, start, (int)keys.size(0)) is { } bias) k = k.sub(bias);
        if (_means[layer] is { } mean)
        {
            if (start == 0) mean.Data.copy_(k.to(torch.ScalarType.Float64).mean([1], keepdim: true).to(torch.ScalarType.Float32));
            k = k.sub(mean.Data);
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
            rows = rows.to(torch.ScalarType.Float32).add(Spec.Rotation != KvRotation.None ? Rotate(bias) : bias);
        return rows.MoveToOuterDisposeScope();
    }

    /// <summary>Values of tokens first … stop − 1, [Nkv, stop − first, D]: rotated.</summary>
    public torch.Tensor Values(int layer, int first, int stop) => _values[layer].Read(first, stop, Length);

    /// <summary>x·H over the last dimension.</summary>
    public torch.Tensor Rotate(torch.Tensor x)
    {
        var matrix = _codec.Hadamard(Geometry.HeadDim);
        return x.to(matrix.dtype).matmul(matrix).to(torch.ScalarType.Float32);
    }

    public override void Unpack(int layer, Span<float> keys, Span<float> values)
    {
        using var scope = torch.NewDisposeScope();
        var k = Keys(layer, 0, Length);
        if (Spec.Rotation != KvRotation.None) k = Rotate(k);
        if (_means[layer] is { } mean) k = k.add(mean.Data);
        var v = Values(layer, 0, Length);
        if (Spec.Rotation == KvRotation.KeysAndValues) v = Rotate(v);
        ToHost(k, keys);
        ToHost(v, values);
    }

    public override void Dispose()
    {
        foreach (var side in _keys.Concat(_values)) side.Dispose();
        foreach (var buffer in _means.Concat(_biases)) buffer?.Dispose();
        _turns?.Dispose();
    }

    // [T, Nkv·D] as [Nkv, T, D] f32.
    private torch.Tensor Rows(torch.Tensor x) =>
        x.to(torch.ScalarType.Float32).reshape(x.size(0), Geometry.KvHeads, Geometry.HeadDim).permute(1, 0, 2);

    private torch.Tensor? Bias(int layer, int first, int count) =>
        _biases[layer] is { } bias ? TorchScripts.Tensor("turned", bias.Data, _turns!.Data.narrow(0, first, count)) : null;

    private static void ToHost(torch.Tensor rows, Span<float> destination) =>
        rows.to(torch.ScalarType.Float32).permute(1, 0, 2).contiguous().cpu().data<float>().ToArray().CopyTo(destination);

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
