using KvPareto.Engine;
using KvPareto.Engine.Cache;

namespace KvPareto.Cuda;

/// <summary>Appends to packed caches and attends over them: the launches of one layer.</summary>
internal static class CudaAttention
{
    private const int Threads = 128;
    private const int Tile = 32;
    private const int FewRows = 16;
    private const int ManyRows = 64;
    private const int MostThreads = 1024;

    /// <summary>Appends k and v, then y = softmax(q·kᵀ/√D)·v.</summary>
    public static void Run(CudaContext context, Step step, int layer, Tensor q, Tensor k, Tensor v, Tensor y)
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
        if (cache.Spec.SmoothKeys && step.Starts.Contains(0)) FreezeMeans(context, append);
        Append(context, step, cache.Layout.Keys[layer], append with { IsKeys = 1 });
        Append(context, step, cache.Layout.Values[layer], append with { IsKeys = 0 });
        Attend(context, step, layer, q, y);
    }

    private static void FreezeMeans(CudaContext context, in AppendArguments a)
    {
        var threads = Math.Max(1, MostThreads / a.Width) * a.Width;
        context.Launch(Codec(context), "freeze_means", new(a.Heads, a.Sequences), threads, a, threads * sizeof(double));
    }

    private static void Append(CudaContext context, Step step, SideLayout side, AppendArguments a)
    {
        var rows = a.Sequences > 1 ? 1 : a.Rows;
        var rowBytes = a.Width * sizeof(float);
        if (side.Axis == KvAxis.Tensor)
        {
            a.RangeBlocks = Math.Min(CudaWorkspace.RangeBlocks, rows * a.Heads);
            context.Launch(Codec(context), "tensor_ranges", new(a.RangeBlocks, a.Sequences), Threads, a, rowBytes);
            context.Launch(Codec(context), "fit_tensor", new((rows + Threads - 1) / Threads, a.Sequences), Threads, a);
        }
        if (side.Axis == KvAxis.PowerOfTwo && step.Starts.Any(start => start <= side.SinkTokens && start + rows > side.SinkTokens))
            context.Launch(Codec(context), "fit_powers", new(a.Heads, a.Sequences), Math.Max(Threads, a.Width), a, rowBytes);
        var granules = step.Starts.Max(start => Math.Max(side.CodedEnd(start + rows), side.SinkTokens) - Math.Max(side.CodedEnd(start), side.SinkTokens)) / side.Granule;
        context.Launch(Codec(context), "encode_rows", new(granules, a.Heads, a.Sequences), Threads, a, side.Granule * rowBytes);
        if (side.KeepsRows) context.Launch(Codec(context), "keep_rows", new(rows, a.Heads, a.Sequences), Threads, a, rowBytes);
    }

    private static void Attend(CudaContext context, Step step, int layer, Tensor q, Tensor y)
    {
        var workspace = (CudaWorkspace)step.Workspace;
        var cache = (CudaKvCache)step.Caches[0];
        var g = cache.Geometry;
        var isDecode = step.Caches.Length > 1 || step.Count == 1;
        var splits = isDecode ? step.Starts.Max() / CudaWorkspace.SplitTokens + 1 : 1;
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
            Splits = splits,
            SplitTokens = isDecode ? CudaWorkspace.SplitTokens : int.MaxValue,
            MaxTokens = workspace.Shape.MaxTokens,
            ScoreStride = workspace.ScoreStride,
            Layers = g.LayerCount,
        };
        var module = context.Module("attention.cu", $"-DHEAD_DIM={g.HeadDim}");
        var width = cache.Spec.PreBiasKeys ? 2 * g.HeadDim : g.HeadDim;
        var rows = isDecode ? g.QueryHeads / g.KvHeads : step.Count * (g.QueryHeads / g.KvHeads);
        var block = rows > FewRows && SharedBytes(ManyRows, g.HeadDim, width) <= context.SharedBytes ? ManyRows : FewRows;
        var grid = new Grid((rows + block - 1) / block * splits, g.KvHeads, a.Sequences);
        var shared = SharedBytes(block, g.HeadDim, width);
        if (workspace.Shape.Kernel == AttentionKernel.Math && !isDecode)
        {
            context.Launch(module, $"scores_{block}", grid, Threads, a, shared);
            context.Launch(module, "softmax_rows", new(step.Count, g.QueryHeads), 2 * Threads, a);
            context.Launch(module, $"values_{block}", grid, Threads, a, shared);
            return;
        }
        context.Launch(module, $"attention_{block}", grid, Threads, a, shared);
        if (splits > 1) context.Launch(module, "merge_splits", new(g.QueryHeads, a.Sequences), Threads, a);
    }

    // Codes must be those of the scalar definition: no contraction of products and sums.
    private static KernelModule Codec(CudaContext context) => context.Module("cache.cu", "--fmad=false");

    // attention.cu, attend: queries, keys, values, weights, and three numbers a row.
    private static int SharedBytes(int rows, int headDim, int width) =>
        ((rows + Tile) * (width + 1) + Tile * headDim + rows * (Tile + 1) + 3 * rows) * sizeof(float);
}
