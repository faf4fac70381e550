using KvPareto.Engine.Cache;
using KvPareto.Engine.Seam;

namespace KvPareto.Cuda;

/// <summary>Appends to packed caches and attends over them: the launches of one layer.</summary>
internal sealed class CudaAttention(CudaContext context)
{
    private const int Threads = 128;
    private const int TokenWarps = Threads / 32; // cache.cu, TOKEN_WARPS; merge.cu, WARPS
    private const int MostThreads = 1024;
    private const int MergeThreads = 512; // decode.cu, MERGE_THREADS
    private const int LargeThreads = 384; // prefill.cu: three groups of four warps
    private const string AnySource = "attention.cu";

    // Codes must be those of the scalar definition: no contraction of products and sums.
    private readonly KernelModule _codec = context.Module("cache.cu", "--fmad=false");
    private readonly Dictionary<(string File, int Width, Variant Codes), KernelModule> _modules = [];

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
        if (keys.IsByToken && values.IsByToken)
            context.Launch(_codec, "encode_tokens", new((granules + TokenWarps - 1) / TokenWarps, a.Heads, sides), Threads, a);
        else
            context.Launch(
                _codec, "encode_rows", new(granules, a.Heads, sides), Threads, a, Math.Max(keys.Granule, values.Granule) * rowBytes);
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
            Parts = plan.SingleParts,
            MaxTokens = workspace.Shape.MaxTokens,
            ScoreStride = workspace.ScoreStride,
            Layers = g.LayerCount,
            ScoreScale = g.ScoreScale,
        };
        var codes = new Variant(g.HeadDim, cache.Layout.Keys[layer].Codes, cache.Layout.Values[layer].Codes);
        var isFast = g.HeadDim is 64 or 128 && !cache.Spec.PreBiasKeys && !isMath;
        if (isFast && plan.IsSingle && g.QueryHeads / g.KvHeads <= AttentionPlan.DirectHeads && codes.Keys.AreDirectKeys
            && codes.Values.AreDirectValues)
        {
            var module = Module("decode.cu", codes);
            context.Launch(module, "attend_token", new(splits.Count, g.KvHeads, a.Sequences), Threads, a);
            context.Launch(module, "merge_parts", new(a.Sequences, g.QueryHeads), MergeThreads, a);
            return;
        }
        if (isFast && !plan.IsFew && context.HasWarpGroups && codes.Keys.Bits <= 16 && codes.Values.Bits <= 16)
            context.Launch(
                Module("prefill.cu", codes), "attention_128", new(plan.LargeRowBlocks * splits.Count, g.KvHeads), LargeThreads, a,
                    plan.LargeSharedBytes);
        else
            AttendAny(AnyModule(plan, codes), plan, a, isMath);
        if (splits.Count > 1)
            context.Launch(
                context.Module("merge.cu", $"-DHEAD_DIM={g.HeadDim}"), "merge_splits",
                new(step.Count, (g.QueryHeads + TokenWarps - 1) / TokenWarps), Threads, a);
    }

    // Any cache on any device.
    private void AttendAny(KernelModule module, in AttentionPlan plan, in AttentionArguments a, bool isMath)
    {
        var grid = new Grid(plan.RowBlocks * a.Splits, a.KeyHeads, a.Sequences);
        if (!isMath)
        {
            context.Launch(module, plan.IsFew ? "attention_16" : "attention_64", grid, Threads, a, plan.SharedBytes);
            return;
        }
        context.Launch(module, "scores_64", grid, Threads, a, plan.SharedBytes);
        context.Launch(module, "softmax_rows", new(a.Rows, a.QueryHeads), 2 * Threads, a);
        context.Launch(module, "values_64", grid, Threads, a, plan.SharedBytes);
    }

    // Caches whose layers differ alternate between a few; strings are made once for each.
    private KernelModule Module(string file, in Variant v)
    {
        if (_modules.TryGetValue((file, 0, v), out var module)) return module;
        return _modules[(file, 0, v)] = context.Module(
            file, $"-DHEAD_DIM={v.HeadDim}", $"-DKEY_BITS={v.Keys.Bits}", $"-DKEY_GROUP={v.Keys.Channels}", $"-DKEY_RUN={v.Keys.Tokens}",
            $"-DVALUE_BITS={v.Values.Bits}", $"-DVALUE_GROUP={v.Values.Channels}", $"-DVALUE_RUN={v.Values.Tokens}");
    }

    private KernelModule AnyModule(in AttentionPlan plan, in Variant codes)
    {
        // For these kernels it is a matter of the arguments how many share an entry.
        var v = codes with
        {
            Keys = new(codes.Keys.Bits, Math.Min(codes.Keys.Channels, 1), 1),
            Values = new(codes.Values.Bits, Math.Min(codes.Values.Channels, 1), 1)
        };
        if (_modules.TryGetValue((AnySource, plan.Width, v), out var module)) return module;
        return _modules[(AnySource, plan.Width, v)] = context.Module(
            AnySource, $"-DHEAD_DIM={v.HeadDim}", $"-DWIDTH={plan.Width}", $"-DKEY_BITS={v.Keys.Bits}",
                $"-DKEY_CHANNELS={(v.Keys.HasChannels ? 1 : 0)}",
            $"-DVALUE_BITS={v.Values.Bits}", $"-DVALUE_CHANNELS={(v.Values.HasChannels ? 1 : 0)}", $"-DFEW_TILE={plan.FewTile}",
                $"-DMANY_TILE={plan.ManyTile}");
    }

    private readonly record struct Variant(int HeadDim, SideCodes Keys, SideCodes Values);
}
