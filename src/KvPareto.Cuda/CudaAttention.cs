using KvPareto.Engine.Cache;
using KvPareto.Engine.Rotary;
using KvPareto.Engine.Seam;

namespace KvPareto.Cuda;

/// <summary>Appends to packed caches and attends over them: the launches of one layer.</summary>
internal sealed unsafe class CudaAttention(CudaContext context, ProductScratch scratch)
{
    private const int Threads = 128;
    private const int GranuleThreads = 512; // of a block that codes tokens together, at the most
    private const int GranuleNumbers = 16; // of such a thread
    private const int TokenWarps = Threads / 32; // cache.cu, TOKEN_WARPS; merge.cu, WARPS
    private const int TurnedHeads = 4; // cache.cu, TURNED_HEADS
    private const int MostThreads = 1024;
    private const int MostTokenBlocks = 3; // of one multiprocessor at a time (decode.cu, BLOCKS)
    private const int TokenSharedBytes = 40_000; // of such a block, at the most
    private const int LargeThreads = 384; // prefill.cu: three groups of four warps
    private const string AnySource = "attention.cu";
    private const int CarriesIn = 1; // attention.cuh, Carry
    private const int CarriesOut = 2;
    private const int Merges = 4;
    private const int MostClusterBlocks = 8; // on every device that has clusters
    private const int StretchTokens = 16; // of a thread (stretch.cu)
    private const int LeastRowBlocks = 32; // that unpack a tile once each, from which on it is unpacked for all
    private const int LeastRowBlocksOfChannels = 4; // where keys have an entry for each channel

    // Codes must be those of the scalar definition: no contraction of products and sums.
    private readonly KernelModule _codec = context.Module("cache.cu", "--fmad=false");
    private readonly Dictionary<(string File, int Width, Variant Codes), KernelModule> _modules = [];
    private readonly Dictionary<(Variant Codes, int Blocks), int> _clusters = []; // at a time

    /// <summary>Appends k and v, then y = softmax(s·q·kᵀ)·v.</summary>
    public void Run(Step step, int layer, Tensor q, Tensor k, Tensor v, Tensor y)
    {
        context.LaunchesVary = true;
        var cache = (CudaKvCache)step.Caches[0];
        var append = Arguments(step, layer, k, v);
        if (cache.Spec.SmoothKeys && step.Starts.Contains(0)) FreezeMeans(append);
        Append(step, cache.Layout.Keys[layer], cache.Layout.Values[layer], append);
        Attend(step, layer, q, y);
    }

    /// <summary>The same with q and k turned before, where one launch turns and appends.</summary>
    public bool TryTurnAndRun(Step step, int layer, Tensor q, Tensor k, Tensor v, Tensor y, RopeTable table)
    {
        var cache = (CudaKvCache)step.Caches[0];
        var (keys, values) = (cache.Layout.Keys[layer], cache.Layout.Values[layer]);
        var headDim = cache.Geometry.HeadDim;
        if (!keys.IsByRow || !values.IsByRow || cache.Spec.SmoothKeys || cache.Spec.PreBiasKeys || q.Type != DType.BF16
            || k.Type != DType.BF16 || table.HeadDim != headDim || table.TurnedChannels != headDim) return false;
        var arguments = new TurnArguments
        {
            Append = Arguments(step, layer, k, v),
            Q = q,
            Positions = ((CudaWorkspace)step.Workspace).Positions,
            QueryHeads = cache.Geometry.QueryHeads,
            Scale = table.AttentionScale,
        };
        for (var i = 0; i < table.InverseFrequencies.Length; i++) arguments.Frequencies[i] = table.InverseFrequencies[i];
        if (TryAttendTokens(step, layer, q, y, arguments)) return true;
        if (!values.IsByToken || values.KeepsRows || (keys.IsByToken && keys.KeepsRows)) return false;
        context.LaunchesVary = true;
        var rows = step.Caches.Length > 1 ? 1 : step.Count;
        var shares = (cache.Geometry.QueryHeads / cache.Geometry.KvHeads + TurnedHeads - 1) / TurnedHeads;
        context.Launch(
            _codec, "turn_and_encode_tokens",
            new((rows + TokenWarps - 1) / TokenWarps, cache.Geometry.KvHeads, (2 + shares) * step.Caches.Length), Threads, arguments);
        if (!keys.IsByToken) AppendGranules(step, keys, values, arguments.Append);
        Attend(step, layer, q, y);
        return true;
    }

    private static AppendArguments Arguments(Step step, int layer, Tensor k, Tensor v)
    {
        var workspace = (CudaWorkspace)step.Workspace;
        var cache = (CudaKvCache)step.Caches[0];
        return new()
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
            Fit = cache.Spec.Fit,
            Layers = cache.Geometry.LayerCount,
            ByToken = (cache.Layout.Keys[layer].IsByToken ? 1 : 0) | (cache.Layout.Values[layer].IsByToken ? 2 : 0),
        };
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
        var tokens = 0;
        if (keys.IsByToken) tokens = keys.Granules(step.Starts, rows);
        if (values.IsByToken) tokens = Math.Max(tokens, values.Granules(step.Starts, rows));
        context.Launch(_codec, "encode_tokens", new((tokens + TokenWarps - 1) / TokenWarps, a.Heads, sides), Threads, a);
        AppendGranules(step, keys, values, a);
    }

    // Of sides whose tokens a block codes, and rows that stay at 16 bits.
    private void AppendGranules(Step step, SideLayout keys, SideLayout values, in AppendArguments a)
    {
        var (rows, sides, rowBytes) = (a.Sequences > 1 ? 1 : a.Rows, 2 * a.Sequences, a.Width * sizeof(float));
        var (granules, granule) = (0, 0);
        foreach (var side in new[] { keys, values })
        {
            if (side.IsByToken) continue;
            (granules, granule) = (Math.Max(granules, side.Granules(step.Starts, rows)), Math.Max(granule, side.Granule));
        }
        var threads = Math.Clamp(granule * a.Width / GranuleNumbers / Threads * Threads, Threads, GranuleThreads);
        context.Launch(_codec, "encode_rows", new(granules, a.Heads, sides), threads, a, granule * rowBytes);
        if (keys.Keeps(step.Starts, rows) || values.Keeps(step.Starts, rows))
            context.Launch(_codec, "keep_rows", new(rows, a.Heads, sides), Threads, a, rowBytes);
    }

    /// <summary>Parts of a step's context.</summary>
    public static int Parts(Step step)
    {
        var plan = Plan(step);
        return plan.Splits(step.Starts.Max() + plan.Tokens).Count;
    }

    private static AttentionPlan Plan(Step step)
    {
        var cache = (CudaKvCache)step.Caches[0];
        var isMath = step.Workspace.Shape.Kernel == AttentionKernel.Math && step.Caches.Length == 1 && step.Count > 1;
        return new(cache.Geometry, cache.Spec.PreBiasKeys, step.Caches.Length, step.Caches.Length > 1 ? 1 : step.Count, isMath);
    }

    private static Variant Codes(Step step, int layer)
    {
        var cache = (CudaKvCache)step.Caches[0];
        return new(cache.Geometry.HeadDim, cache.Layout.Keys[layer].Codes, cache.Layout.Values[layer].Codes);
    }

    // Whether kernels for the usual shapes take it.
    private static bool IsUsual(Step step, in AttentionPlan plan)
    {
        var cache = (CudaKvCache)step.Caches[0];
        return cache.Geometry.HeadDim is 64 or 128 && !cache.Spec.PreBiasKeys && !plan.IsMath;
    }

    private static AttentionArguments Arguments(Step step, int layer, Tensor q, Tensor y, in AttentionPlan plan)
    {
        var workspace = (CudaWorkspace)step.Workspace;
        var cache = (CudaKvCache)step.Caches[0];
        var g = cache.Geometry;
        var splits = plan.Splits(step.Starts.Max() + plan.Tokens);
        return new()
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
            Parts = plan.SingleParts(cache.Layout.Keys[layer].KeepsRows || cache.Layout.Values[layer].KeepsRows),
            MaxTokens = workspace.Shape.MaxTokens,
            ScoreStride = workspace.ScoreStride,
            Layers = g.LayerCount,
            ScoreScale = g.ScoreScale,
            To = int.MaxValue,
        };
    }

    // A new token of each sequence, straight from the codes; its row is turned and appended before, if need be.
    private bool TryAttendTokens(Step step, int layer, Tensor q, Tensor y, in TurnArguments? turn)
    {
        var (plan, codes) = (Plan(step), Codes(step, layer));
        var cache = (CudaKvCache)step.Caches[0];
        var g = cache.Geometry;
        if (!IsUsual(step, plan) || !plan.IsSingle || !IsPairs(y) || g.QueryHeads / g.KvHeads > AttentionPlan.DirectHeads
            || !codes.Keys.AreDirectKeys || !codes.Values.AreDirectValues) return false;
        var a = Arguments(step, layer, q, y, plan);
        // Blocks of a key head wait for each other: they begin in order, so that it is enough if so many are at work at a time.
        var blocks = Math.Min(MostTokenBlocks, context.SharedBytesOfMultiprocessor / TokenSharedBytes);
        var merges = a.Splits <= blocks * context.Multiprocessors;
        var arguments = new TokenArguments
        {
            Attention = a,
            Turn = turn.GetValueOrDefault(),
            Turns = turn is null ? 0 : 1,
            Merges = merges ? 1 : 0,
            Serial = ((CudaWorkspace)step.Workspace).Serial,
        };
        var (module, grid) = (Module("decode.cu", codes), new Grid(a.Splits, a.KeyHeads, a.Sequences));
        context.Launch(module, "attend_token", grid, Threads, arguments);
        if (!merges) context.Launch(module, "merge_parts", grid, Threads, arguments);
        return true;
    }

    private void Attend(Step step, int layer, Tensor q, Tensor y)
    {
        if (TryAttendTokens(step, layer, q, y, null)) return;
        var (plan, codes) = (Plan(step), Codes(step, layer));
        var a = Arguments(step, layer, q, y, plan);
        if (IsUsual(step, plan) && !plan.IsFew && !plan.IsSingle && context.HasWarpGroups && codes.Keys.Bits <= 16
            && codes.Values.Bits <= 16 && IsPairs(q) && IsPairs(y))
        {
            if (Stretches(step, plan, codes, a) is { } stretches) AttendStretches(step, stretches, plan, codes, ref a);
            else AttendMany(codes, plan, ref a);
        }
        else AttendAny(AnyModule(plan, codes), plan, a);
        if (a.Splits > 1 && a.Carries != Merges)
            context.Launch(
                context.Module("merge.cu", $"-DHEAD_DIM={codes.HeadDim}"), "merge_splits",
                new(step.Count, (a.QueryHeads + TokenWarps - 1) / TokenWarps), Threads, a);
    }

    private static bool IsPairs(Tensor x) => x.Type == DType.BF16 && x.Address % 4 == 0 && x.RowStride % 2 == 0;

    // Whether the parts of all rows run at a time, as clusters that put their results together.
    private bool MergesInClusters(in AttentionPlan plan, in Variant codes, in AttentionArguments a)
    {
        if (a.Splits is 1 or > MostClusterBlocks) return false;
        if (!_clusters.TryGetValue((codes, a.Splits), out var count))
            _clusters[(codes, a.Splits)] = count = context.ResidentClusters(
                Module("prefill.cu", codes), "attention_128", a.Splits, LargeThreads, plan.LargeSharedBytes);
        return plan.LargeRowBlocks * a.KeyHeads <= count;
    }

    private void AttendMany(in Variant codes, in AttentionPlan plan, ref AttentionArguments a)
    {
        if (a.Carries == 0 && MergesInClusters(plan, codes, a)) a.Carries = Merges;
        context.Launch(
            Module("prefill.cu", codes), "attention_128", new(plan.LargeRowBlocks * a.Splits, a.KeyHeads), LargeThreads, a,
                plan.LargeSharedBytes, a.Carries == Merges ? a.Splits : 1);
    }

    // Worth it where several blocks of rows would unpack the same codes.
    private StretchPlan? Stretches(Step step, in AttentionPlan plan, in Variant codes, in AttentionArguments a)
    {
        var coded = (codes.Keys.Bits < 16 ? 1 : 0) + (codes.Values.Bits < 16 ? 1 : 0);
        var least = codes.Keys.HasChannels ? LeastRowBlocksOfChannels : LeastRowBlocks;
        if (coded == 0 || plan.LargeRowBlocks < least || a.Window > 0) return null;
        var tokenBytes = (long)coded * a.KeyHeads * codes.HeadDim * sizeof(ushort);
        var carry = a.Splits > 1 ? 0 : (long)a.Rows * a.QueryHeads * (codes.HeadDim + 2) * sizeof(float);
        return StretchPlan.Of(step.Starts[0] + a.Rows, a.Rows, a.Splits, tokenBytes, SideLayout.Align(carry), scratch.ByteCount);
    }

    private void AttendStretches(Step step, in StretchPlan stretches, in AttentionPlan plan, in Variant codes, ref AttentionArguments a)
    {
        var length = step.Starts[0] + a.Rows;
        var source = a.Caches + a.Layer * sizeof(LayerCache);
        if (stretches.Count > 1 && a.Splits == 1) a.Partials = scratch.Address + StretchPlan.CacheBytes;
        (a.Caches, a.Layer, a.IsUnpacked) = (scratch.Address, 0, 1);
        var halves = new SideCodes(16, codes.HeadDim, 1);
        for (var i = 0; i < stretches.Count; i++)
        {
            (a.From, a.To) = stretches.Range(i, length);
            var rows = scratch.Address + StretchPlan.CacheBytes + (nint)stretches.CarryBytes;
            var sideBytes = (nint)(a.To - a.From) * a.KeyHeads * codes.HeadDim * sizeof(ushort);
            var unpack = new StretchArguments
            {
                Source = source,
                Target = scratch.Address,
                Keys = codes.Keys.Bits < 16 ? rows : 0,
                Values = codes.Values.Bits == 16 ? 0 : codes.Keys.Bits < 16 ? rows + sideBytes : rows,
                From = a.From,
                To = a.To,
                Length = length,
            };
            var blockTokens = Threads / (codes.HeadDim / 8) * StretchTokens;
            context.Launch(
                Module("stretch.cu", codes), "unpack_stretch", new((a.To - a.From + blockTokens - 1) / blockTokens, a.KeyHeads, 2), Threads,
                    unpack);
            if (stretches.Count > 1) a.Carries = (i > 0 ? CarriesIn : 0) | (i < stretches.Count - 1 || a.Splits > 1 ? CarriesOut : 0);
            if (stretches.Count > 1 && a.Splits > 1) a.SplitTokens = StretchPlan.Part(a.To - a.From, a.Splits);
            AttendMany(new(codes.HeadDim, halves, halves), plan, ref a);
        }
    }

    // Any cache on any device.
    private void AttendAny(KernelModule module, in AttentionPlan plan, in AttentionArguments a)
    {
        var grid = new Grid(plan.RowBlocks * a.Splits, a.KeyHeads, a.Sequences);
        if (!plan.IsMath)
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
            file, $"-DHEAD_DIM={v.HeadDim}", $"-DKEY_BITS={v.Keys.Bits}", $"-DKEY_GROUP={v.Keys.Channels}",
            $"-DKEY_BLOCK_TOKENS={v.Keys.Tokens}", $"-DVALUE_BITS={v.Values.Bits}", $"-DVALUE_GROUP={v.Values.Channels}",
            $"-DVALUE_BLOCK_TOKENS={v.Values.Tokens}");
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
