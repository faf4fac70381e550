using KvPareto.Engine.Cache;
using KvPareto.Engine.Seam;
using TorchSharp;

namespace KvPareto.Torch;

/// <summary>A cache in PyTorch's memory: for each layer keys, values, means; then what keys coded without bias need.</summary>
internal sealed class TorchKvCache : KvCache
{
    private readonly List<TorchBuffer> _buffers = [];

    public TorchKvCache(MemoryLedger ledger, TorchCodes codec, KvGeometry geometry, KvSpec spec, int capacity)
        : base(geometry, spec, capacity)
    {
        var layers = geometry.LayerCount;
        (Keys, Values) = (new torch.Tensor[layers][], new torch.Tensor[layers][]);
        (Means, Biases) = (new torch.Tensor?[layers], new torch.Tensor?[layers]);
        long[] vector = [geometry.KvHeads, 1, geometry.HeadDim];
        try
        {
            for (var layer = 0; layer < layers; layer++)
            {
                var own = spec.ForLayer(layer, layers);
                Keys[layer] = Shape(geometry, own, own.Keys, capacity).Allocate(codec, Zeros);
                Values[layer] = Shape(geometry, own, own.Values, capacity).Allocate(codec, Zeros);
                if (spec.SmoothKeys) Means[layer] = Zeros(torch.ScalarType.Float16, vector);
                if (spec.PreBiasKeys) Biases[layer] = Keep(torch.tensor(geometry.KeyBias!.Layers[layer], vector, device: codec.Device));
            }
            if (spec.PreBiasKeys)
            {
                int[] positions = [.. Enumerable.Range(0, capacity)];
                Turns = Keep(torch.tensor(
                    TorchWorkspace.TurnsOf(geometry.KeyBias!.Rope, positions), [capacity, geometry.HeadDim], device: codec.Device));
            }
        }
        catch
        {
            Dispose();
            throw;
        }
        if (spec.Rotation != KvRotation.None) Hadamard = codec.Hadamard(geometry.HeadDim);
        ByteCount = PredictByteCount(geometry, spec, capacity);

        torch.Tensor Zeros(torch.ScalarType type, long[] size) => Keep(torch.zeros(size, dtype: type, device: codec.Device));

        torch.Tensor Keep(torch.Tensor data)
        {
            _buffers.Add(new TorchBuffer(ledger, MemoryCategory.KvCache, data));
            return data;
        }
    }

    public override long ByteCount { get; }

    /// <summary>Keys of each layer, as Scripts/side.py takes them.</summary>
    public torch.Tensor[][] Keys { get; }

    /// <summary>Values alike.</summary>
    public torch.Tensor[][] Values { get; }

    /// <summary>What keys are stored without, [Nkv, 1, D] f16.</summary>
    public torch.Tensor?[] Means { get; }

    /// <summary>The same, before it is turned, [Nkv, 1, D] f32.</summary>
    public torch.Tensor?[] Biases { get; }

    /// <summary>Cosines and sines of every position, [capacity, D] f32.</summary>
    public torch.Tensor? Turns { get; }

    /// <summary>What keys are rotated by; null where they are not.</summary>
    public torch.Tensor? Hadamard { get; }

    /// <summary>Whether values are, too.</summary>
    public bool RotatesValues => Spec.Rotation == KvRotation.KeysAndValues;

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

    public override void Unpack(int layer, Span<float> keys, Span<float> values)
    {
        TorchScripts.Read(keys, "keys_given", Keys[layer], Length, Means[layer], Biases[layer], Turns, Hadamard);
        TorchScripts.Read(values, "values_given", Values[layer], Length, RotatesValues ? Hadamard : null);
    }

    public override void Dispose()
    {
        foreach (var buffer in _buffers) buffer.Dispose();
    }

    private static SideShape Shape(KvGeometry geometry, KvSpec spec, SideSpec side, int capacity) =>
        new(new SidePlan(spec, side, geometry.HeadDim, capacity), geometry.KvHeads);
}
