using KvPareto.Engine.Seam;

namespace KvPareto.Torch;

/// <summary>
/// Attention over packed caches (Scripts/attention.py): a stretch of a layer's keys and values is unpacked at a time. What fits in one
/// goes through PyTorch's scaled_dot_product_attention; of more, running softmax states are merged. The
/// <see cref="AttentionKernel.Math"/> kernel holds all scores.
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
            var (cache, start) = ((TorchKvCache)step.Caches[i], step.Starts[i]);
            var (g, window, queries) = (cache.Geometry, cache.Geometry.LayerWindows[layer], q.Rows(i * rows, rows));
            var first = window > 0 ? Math.Max(0, start + 1 - window) : 0;
            var isAtOnce = workspace.Shape.Kernel != AttentionKernel.Math && start + rows - first <= workspace.StretchTokens;
            var mask = isAtOnce && rows > 1 ? workspace.Mask(
                (start, rows, window), () => TorchScripts.Tensor("mask", queries, g.QueryHeads / g.KvHeads, start, first, window)) : null;
            TorchScripts.Run(
                "attention", queries, k.Rows(i * rows, rows), v.Rows(i * rows, rows), y.Rows(i * rows, rows), cache.Keys[layer],
                cache.Values[layer], g.KvHeads, start, first, window, workspace.StretchTokens,
                workspace.Shape.Kernel == AttentionKernel.Math ? 1 : 0, g.ScoreScale, mask, cache.Means[layer],
                cache.Biases[layer], cache.Turns, cache.Hadamard, cache.RotatesValues ? 1 : 0);
        }
    }
}
