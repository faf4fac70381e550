using KvPareto.Engine.Cache;
using KvPareto.Engine.Seam;
using TorchSharp;
using Tensor = KvPareto.Engine.Seam.Tensor;

namespace KvPareto.Torch;

/// <summary>
/// A cache in PyTorch's memory, and attention over it (Scripts/attention.py): a stretch of a layer's keys and values is unpacked at a time.
/// What fits in one goes through PyTorch's scaled_dot_product_attention; of more, running softmax states are merged. The
/// <see cref="AttentionKernel.Math"/> kernel holds all scores.
/// </summary>
internal sealed class TorchKvCache : KvCache
{
    private readonly List<TorchBuffer> _buffers = [];
    private readonly torch.Tensor[][] _keys; // of each layer, as Scripts/side.py takes them
    private readonly torch.Tensor[][] _values;
    private readonly torch.Tensor?[] _means; // what keys are stored without, [Nkv, 1, D] f16
    private readonly torch.Tensor?[] _biases; // the same, before it is turned, [Nkv, 1, D] f32
    private readonly torch.Tensor? _turns; // cosines and sines of every position, [capacity, D] f32
    private readonly torch.Tensor? _hadamard; // what keys are rotated by

    public TorchKvCache(MemoryLedger ledger, TorchCodes codec, KvGeometry geometry, KvSpec spec, int capacity)
        : base(geometry, spec, capacity)
    {
        var layers = geometry.LayerCount;
        (_keys, _values) = (new torch.Tensor[layers][], new torch.Tensor[layers][]);
        (_means, _biases) = (new torch.Tensor?[layers], new torch.Tensor?[layers]);
        long[] vector = [geometry.KvHeads, 1, geometry.HeadDim];
        try
        {
            for (var layer = 0; layer < layers; layer++)
            {
                var own = spec.ForLayer(layer, layers);
                _keys[layer] = Shape(geometry, own, own.Keys, capacity).Allocate(codec, Zeros);
                _values[layer] = Shape(geometry, own, own.Values, capacity).Allocate(codec, Zeros);
                if (spec.SmoothKeys) _means[layer] = Zeros(torch.ScalarType.Float16, vector);
                if (spec.PreBiasKeys) _biases[layer] = Keep(torch.tensor(geometry.KeyBias!.Layers[layer], vector, device: codec.Device));
            }
            if (spec.PreBiasKeys)
            {
                int[] positions = [.. Enumerable.Range(0, capacity)];
                _turns = Keep(torch.tensor(
                    TorchWorkspace.TurnsOf(geometry.KeyBias!.Rope, positions), [capacity, geometry.HeadDim], device: codec.Device));
            }
        }
        catch
        {
            Dispose();
            throw;
        }
        if (spec.Rotation != KvRotation.None) _hadamard = codec.Hadamard(geometry.HeadDim);

        torch.Tensor Zeros(torch.ScalarType type, long[] size) => Keep(torch.zeros(size, dtype: type, device: codec.Device));

        torch.Tensor Keep(torch.Tensor data)
        {
            _buffers.Add(new TorchBuffer(ledger, MemoryCategory.KvCache, data));
            return data;
        }
    }

    public override long ByteCount => _buffers.Sum(buffer => buffer.ByteCount);

    private bool RotatesValues => Spec.Rotation == KvRotation.KeysAndValues;

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

    /// <summary>Appends a step's k and v, then y = softmax(s·q·kᵀ)·v; sequence after sequence.</summary>
    public static void Attend(Step step, int layer, Tensor q, Tensor k, Tensor v, Tensor y)
    {
        var (workspace, rows) = ((TorchWorkspace)step.Workspace, step.Caches.Length == 1 ? step.Count : 1);
        for (var i = 0; i < step.Caches.Length; i++)
        {
            var (cache, start, at) = ((TorchKvCache)step.Caches[i], step.Starts[i], i * rows);
            cache.Attend(workspace, start, layer, q.Rows(at, rows), k.Rows(at, rows), v.Rows(at, rows), y.Rows(at, rows));
        }
    }

    public override void Unpack(int layer, Span<float> keys, Span<float> values)
    {
        TorchScripts.Read(keys, "keys_given", _keys[layer], Length, _means[layer], _biases[layer], _turns, _hadamard);
        TorchScripts.Read(values, "values_given", _values[layer], Length, RotatesValues ? _hadamard : null);
    }

    public override void Dispose()
    {
        foreach (var buffer in _buffers) buffer.Dispose();
    }

    private void Attend(TorchWorkspace workspace, int start, int layer, Tensor q, Tensor k, Tensor v, Tensor y)
    {
        var (g, window, isMath) = (Geometry, Geometry.LayerWindows[layer], workspace.Shape.Kernel == AttentionKernel.Math);
        var first = window > 0 ? Math.Max(0, start + 1 - window) : 0;
        var mask = q.RowCount > 1 && !isMath && start + q.RowCount - first <= workspace.StretchTokens
            ? workspace.Once(window, () => TorchScripts.Tensor("mask", q, g.QueryHeads / g.KvHeads, start, first, window)) : null;
        TorchScripts.Run(
            "attention", q, k, v, y, _keys[layer], _values[layer], g.KvHeads, start, first, window, workspace.StretchTokens, isMath ? 1 : 0,
            g.ScoreScale, mask, _means[layer], _biases[layer], _turns, _hadamard, RotatesValues ? 1 : 0);
    }

    private static SideShape Shape(KvGeometry geometry, KvSpec spec, SideSpec side, int capacity) =>
        new(new SidePlan(spec, side, geometry.HeadDim, capacity), geometry.KvHeads);
}
