using KvPareto.Engine.Cache;
using KvPareto.Engine.Seam;

namespace KvPareto.Cuda;

/// <summary>Appends to packed caches and attends over them: the launches of one layer.</summary>
internal sealed class CudaAttention(CudaContext context)
{
    private const int Threads = 128;
    private const int MostThreads = 1024;

    // Codes must be those of the scalar definition: no contraction of products and sums.
    private readonly KernelModule _codec = context.Module("cache.cu", "--fmad=false");
    private readonly Dictionary<Variant, KernelModule> _modules = [];

    /// <summary>Appends k and v, then y = softmax(s·q·kᵀ)·v.</summary>
    public void Run(Step step, int layer, Tensor q, Tensor k, Tensor v, Tensor y)
    {
        var workspace = (CudaWorkspace)step.Workspace;
        var cache = (CudaKvCache)step.Caches[0];
        var append = new AppendArguments
        {
            Keys = k,
            Values = v,
            Caches = workspace.Caches,
            Starts = workspace.Starts,
            Ranges = workspace.Ranges,
            Layer = layer,
            Rows = step.Count,
            Sequences = step.Caches.Length,
            Width = cache.Geometry.HeadDim,
            Heads = cache.Geometry.KvHeads,
            Rotation = (int)cache.Spec.Rotation,
            Clip = cache.Spec.ClipPercent / 100f,
            Layers = cache.Geometry.LayerCount,
        };
        if (cache.Spec.SmoothKeys && step.Starts.Contains(0)) FreezeMeans(append);
        Append(step, cache.Layout.Keys[layer], cache.Layout.Values[layer], append);
        Attend(step, layer, q, y);
    }

    private void FreezeMeans(in AppendArguments a)
    {
        var threads = Math.Max(1, MostThreads / a.Width) * a.Width;
        context.Launch(_codec, "freeze_means", new(a.Heads, a.Sequences), threads, a, threads * sizeof(double));
    }

    private void Append(Step step, SideLayout keys, SideLayout values, AppendArguments a)
    {
        var rows = a.Sequences > 1 ? 1 : a.Rows;
        var rowBytes = a.Width * sizeof(float);
        var sides = 2 * a.Sequences;
        if (keys.Axis == KvAxis.Tensor || values.Axis == KvAxis.Tensor)
        {
            a.RangeBlocks = Math.Min(CudaWorkspace.RangeBlocks, rows * a.Heads);
            context.Launch(_codec, "tensor_ranges", new(a.RangeBlocks, sides), Threads, a, rowBytes);
            context.Launch(_codec, "fit_tensor", new((rows + Threads - 1) / Threads, sides), Threads, a);
        }
        if (keys.FitsPowers(step.Starts, rows) || values.FitsPowers(step.Starts, rows))
            context.Launch(_codec, "fit_powers", new(a.Heads, sides), Math.Max(Threads, a.Width), a, rowBytes);
        var granules = Math.Max(keys.Granules(step.Starts, rows), values.Granules(step.Starts, rows));
        context.Launch(_codec, "encode_rows", new(granules, a.Heads, sides), Threads, a, Math.Max(keys.Granule, values.Granule) * rowBytes);
        if (keys.KeepsRows || values.KeepsRows) context.Launch(_codec, "keep_rows", new(rows, a.Heads, sides), Threads, a, rowBytes);
    }

    private void Attend(Step step, int layer, Tensor q, Tensor y)
    {
        var workspace = (CudaWorkspace)step.Workspace;
        var cache = (CudaKvCache)step.Caches[0];
        var g = cache.Geometry;
        var isMath = workspace.Shape.Kernel == AttentionKernel.Math && step.Caches.Length == 1 && step.Count > 1;
        var plan = new AttentionPlan(g, cache.Spec.PreBiasKeys, step.Caches.Length, step.Caches.Length > 1 ? 1 : step.Count, isMath);
        var splits = plan.Splits(step.Starts.Max() + plan.Tokens);
        var a = new AttentionArguments
        {
            Q = q,
            Y = y,
            Caches = workspace.Caches,
            Starts = workspace.Starts,
            Partials = workspace.Partials,
            Scores = workspace.Scores,
            Layer = layer,
            Rows = step.Count,
            Sequences = step.Caches.Length,
            QueryHeads = g.QueryHeads,
            KeyHeads = g.KvHeads,
            Window = g.LayerWindows[layer],
            Rotation = (int)cache.Spec.Rotation,
            Splits = splits.Count,
            SplitTokens = splits.Tokens,
            MaxTokens = workspace.Shape.MaxTokens,
            ScoreStride = workspace.ScoreStride,
            Layers = g.LayerCount,
            ScoreScale = g.ScoreScale,
        };
        var module = Module(plan, new(g.HeadDim, plan.Width, cache.Layout.Keys[layer].Codes, cache.Layout.Values[layer].Codes));
        var grid = new Grid(plan.RowBlocks * splits.Count, g.KvHeads, a.Sequences);
        if (isMath)
        {
            context.Launch(module, "scores_64", grid, Threads, a, plan.SharedBytes);
            context.Launch(module, "softmax_rows", new(step.Count, g.QueryHeads), 2 * Threads, a);
            context.Launch(module, "values_64", grid, Threads, a, plan.SharedBytes);
            return;
        }
        context.Launch(module, plan.IsFew ? "attention_16" : "attention_64", grid, Threads, a, plan.SharedBytes);
        if (splits.Count > 1) context.Launch(module, "merge_splits", new(step.Count, g.QueryHeads), Threads, a);
    }

    private KernelModule Module(in AttentionPlan plan, in Variant v)
    {
        if (_modules.TryGetValue(v, out var module)) return module;
        return _modules[v] = context.Module(
            "attention.cu", $"-DHEAD_DIM={v.HeadDim}", $"-DWIDTH={v.Width}", $"-DKEY_BITS={v.Keys.Bits}", $"-DKEY_CHANNELS={(v.Keys.HasChannels ? 1 : 0)}",
            $"-DVALUE_BITS={v.Values.Bits}", $"-DVALUE_CHANNELS={(v.Values.HasChannels ? 1 : 0)}", $"-DFEW_TILE={plan.FewTile}", $"-DMANY_TILE={plan.ManyTile}");
    }

    private readonly record struct Variant(int HeadDim, int Width, (int Bits, bool HasChannels) Keys, (int Bits, bool HasChannels) Values);
}
