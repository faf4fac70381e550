using KvPareto.Engine.Cache;
using KvPareto.Engine.Seam;
using TorchSharp;

namespace KvPareto.Torch;

/// <summary>
/// Attention over packed caches: a stretch of a layer's keys and values is unpacked at a time. What fits in one goes through PyTorch's
/// scaled_dot_product_attention; of more, running softmax states are merged. The <see cref="AttentionKernel.Math"/> kernel holds all
/// scores.
/// </summary>
internal static class TorchAttention
{
    /// <summary>Appends k and v, then y = softmax(s·q·kᵀ)·v; sequence after sequence.</summary>
    public static void Run(Step step, int layer, Tensor q, Tensor k, Tensor v, Tensor y)
    {
        var workspace = (TorchWorkspace)step.Workspace;
        var rows = step.Caches.Length == 1 ? step.Count : 1;
        for (var i = 0; i < step.Caches.Length; i++)
        {
            using var scope = torch.NewDisposeScope();
            var call = new Call((TorchKvCache)step.Caches[i], workspace, layer, step.Starts[i], rows);
            call.Cache.Append(layer, call.Start, TorchBuffer.View(k.Rows(i * rows, rows)), TorchBuffer.View(v.Rows(i * rows, rows)));
            var queries =
                TorchScripts.Tensor("group", TorchBuffer.View(q.Rows(i * rows, rows)), call.Geometry.KvHeads, call.Geometry.HeadDim);
            var type = queries.dtype == torch.ScalarType.BFloat16 ? torch.ScalarType.Float16 : queries.dtype; // the cache's
            if (call.Cache.Spec.Rotation != KvRotation.None) queries = call.Cache.Rotate(queries);
            queries = queries.to(type);
            var result = workspace.Shape.Kernel == AttentionKernel.Math ? AllScores(call, queries)
                : call.Stop - call.First <= workspace.StretchTokens ? AtOnce(call, queries) : Merged(call, queries);
            if (call.Cache.Spec.Rotation == KvRotation.KeysAndValues) result = call.Cache.Rotate(result);
            TorchScripts.Run("ungroup", result, TorchBuffer.View(y.Rows(i * rows, rows)));
        }
    }

    private static torch.Tensor AtOnce(Call call, torch.Tensor queries) =>
        TorchScripts.Tensor(
            "attend", queries, call.Keys(call.First, call.Stop), call.Values(call.First, call.Stop), call.Mask(queries), call.Scale);

    private static torch.Tensor Merged(Call call, torch.Tensor queries)
    {
        var maximum = TorchScripts.Tensor("lowest", queries);
        var total = torch.zeros_like(maximum);
        var result = torch.zeros(queries.shape, dtype: torch.ScalarType.Float32, device: queries.device);
        call.ForStretches((first, stop) => TorchScripts.Run(
            "merge", queries, call.Keys(first, stop), call.Values(first, stop), call.Seen(first, stop), call.Scale, maximum, total,
                result));
        return result.div_(total);
    }

    private static torch.Tensor AllScores(Call call, torch.Tensor queries)
    {
        long[] all = [queries.size(0), queries.size(1), call.Stop - call.First];
        var scores = torch.empty(all, dtype: torch.ScalarType.Float32, device: queries.device);
        call.ForStretches((first, stop) => scores.narrow(2, first - call.First, stop - first)
            .copy_(TorchScripts.Tensor("scores", queries, call.Keys(first, stop), call.Seen(first, stop), call.Scale)));
        var weights = scores.softmax(-1);
        var result = torch.zeros(queries.shape, dtype: torch.ScalarType.Float32, device: queries.device);
        call.ForStretches((first, stop) => TorchScripts.Run("add", result, TorchScripts.Tensor(
            "product", weights.narrow(2, first - call.First, stop - first), call.Values(first, stop).to(torch.ScalarType.Float32))));
        return result;
    }

    // One layer and sequence: T queries from token Start on.
    private sealed record Call(TorchKvCache Cache, TorchWorkspace Workspace, int Layer, int Start, int Count)
    {
        public KvGeometry Geometry => Cache.Geometry;

        public int Stop => Start + Count;

        public int First => Window > 0 ? Math.Max(0, Start + 1 - Window) : 0;

        public double Scale => Geometry.ScoreScale;

        private int Window => Geometry.LayerWindows[Layer];

        public torch.Tensor Keys(int first, int stop) => Cache.Keys(Layer, first, stop);

        public torch.Tensor Values(int first, int stop) => Cache.Values(Layer, first, stop);

        // Of no more tokens than may stand unpacked at once.
        public void ForStretches(Action<int, int> run)
        {
            for (var first = First; first < Stop; first += Workspace.StretchTokens)
            {
                using var scope = torch.NewDisposeScope();
                run(first, Math.Min(Stop, first + Workspace.StretchTokens));
            }
        }

        // Null where every query sees all of the stretch.
        public torch.Tensor? Seen(int first, int stop) => stop <= Start + 1 && (Window == 0 || first > Stop - 1 - Window)
            ? null
            : TorchScripts.Tensor("visible", Count, Geometry.QueryHeads / Geometry.KvHeads, Start, first, stop, Window, Cache.Sample);

        // The same of all that is seen, for all layers that see as much.
        public torch.Tensor? Mask(torch.Tensor queries) => Workspace.Mask(
            (Start, Count, Window, queries.dtype), () =>
                Seen(First, Stop) is { } seen ? TorchScripts.Tensor("hidden", seen, queries) : null);
    }
}
