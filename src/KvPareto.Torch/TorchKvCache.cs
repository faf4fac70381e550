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
    private readonly Layer[] _layers;
    private readonly torch.Tensor? _turns; // cosines and sines of every position, [capacity, D] f32
    private readonly torch.Tensor? _hadamard; // what keys are rotated by
    private readonly torch.Tensor? _valueHadamard; // what values are

    public TorchKvCache(MemoryLedger ledger, TorchCodes codec, KvGeometry geometry, KvSpec spec, int capacity)
        : base(geometry, spec, capacity)
    {
        long[] vector = [geometry.KvHeads, 1, geometry.HeadDim];
        try
        {
            _layers =
            [
                .. Shapes(geometry, spec, capacity).Select((sides, layer) => new Layer(
                    sides.Keys.Allocate(codec, Zeros), sides.Values.Allocate(codec, Zeros),
                    spec.SmoothKeys ? Zeros(torch.ScalarType.Float16, vector) : null,
                    spec.PreBiasKeys ? Keep(torch.tensor(geometry.KeyBias!.Layers[layer], vector, device: codec.Device)) : null)),
            ];
            if (spec.PreBiasKeys)
                _turns = Keep(TorchWorkspace.TurnsOf(geometry.KeyBias!.Rope, [.. Enumerable.Range(0, capacity)], codec.Device));
        }
        catch
        {
            Dispose();
            throw;
        }
        if (spec.Rotation != KvRotation.None) _hadamard = codec.Hadamard(geometry.HeadDim);
        if (spec.Rotation == KvRotation.KeysAndValues) _valueHadamard = _hadamard;

        torch.Tensor Zeros(torch.ScalarType type, long[] size) => Keep(torch.zeros(size, dtype: type, device: codec.Device));

        torch.Tensor Keep(torch.Tensor data)
        {
            _buffers.Add(new TorchBuffer(ledger, MemoryCategory.KvCache, data));
            return data;
        }
    }

    public override long ByteCount => _buffers.Sum(buffer => buffer.ByteCount);

    /// <summary>Bytes of a cache, from shapes alone.</summary>
    public static long PredictByteCount(KvGeometry geometry, KvSpec spec, int capacity)
    {
        var vectors = (long)geometry.LayerCount * geometry.KvHeads * geometry.HeadDim;
        return Shapes(geometry, spec, capacity).Sum(sides => sides.Keys.ByteCount + sides.Values.ByteCount)
            + (spec.SmoothKeys ? vectors * sizeof(ushort) : 0)
            + (spec.PreBiasKeys ? (vectors + (long)capacity * geometry.HeadDim) * sizeof(float) : 0);
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
        var own = _layers[layer];
        TorchScripts.Read(keys, "keys_given", own.Keys, Length, own.Mean, own.Bias, _turns, _hadamard);
        TorchScripts.Read(values, "values_given", own.Values, Length, _valueHadamard);
    }

    public override void Dispose()
    {
        foreach (var buffer in _buffers) buffer.Dispose();
    }

    private void Attend(TorchWorkspace workspace, int start, int layer, Tensor q, Tensor k, Tensor v, Tensor y)
    {
        var (g, own, window) = (Geometry, _layers[layer], Geometry.LayerWindows[layer]);
        var isMath = workspace.Shape.Kernel == AttentionKernel.Math;
        var first = window > 0 ? Math.Max(0, start + 1 - window) : 0;
        var mask = q.RowCount > 1 && !isMath && start + q.RowCount - first <= workspace.StretchTokens
            ? workspace.Once(window, () => TorchScripts.Tensor("mask", q, g.QueryHeads / g.KvHeads, start, first, window)) : null;
        TorchScripts.Run(
            "attention", q, k, v, y, own.Keys, own.Values, g.KvHeads, start, first, window, workspace.StretchTokens, isMath ? 1 : 0,
            g.ScoreScale, mask, own.Mean, own.Bias, _turns, _hadamard, _valueHadamard);
    }

    private static IEnumerable<(SideShape Keys, SideShape Values)> Shapes(KvGeometry geometry, KvSpec spec, int capacity) =>
        SidePlan.OfLayers(geometry, spec, capacity)
            .Select(plan => (new SideShape(plan.Keys, geometry.KvHeads), new SideShape(plan.Values, geometry.KvHeads)));

    /// <param name="Keys">As Scripts/side.py takes them.</param>
    /// <param name="Values">The same.</param>
    /// <param name="Mean">What keys are stored without, [Nkv, 1, D] f16.</param>
    /// <param name="Bias">The same, before it is turned, [Nkv, 1, D] f32.</param>
    private sealed record Layer(torch.Tensor[] Keys, torch.Tensor[] Values, torch.Tensor? Mean, torch.Tensor? Bias);
}
