using System.Numerics.Tensors;
using KvPareto.Engine.Cpu.Storage;
using KvPareto.Engine.Cpu.Kernels;

namespace KvPareto.Engine.Cpu;

/// <summary>
/// Attention over packed caches. Decoding multiplies with the codes themselves, split along the context; prefill unpacks blocks
/// of 64 tokens into panels that stay in the cache nearest to the core and are used by up to 192 query rows. Neither holds
/// anything of size T·L except the <see cref="AttentionKernel.Math"/> kernel, which is there to be compared with.
/// </summary>
internal static unsafe class CpuAttention
{
    private const int Block = CpuWorkspace.BlockTokens;
    private const int Split = CpuWorkspace.SplitTokens;
    private const int Tile = KeyStore.TileTokens;
    private const int AppendTokens = 4 * Tile;

    /// <summary>One layer's operands.</summary>
    private readonly record struct Call(Step Step, CpuWorkspace Workspace, int Layer, Tensor Q, Tensor K, Tensor V, Tensor Y, int Splits = 0)
    {
        public int Window => Workspace.Shape.Geometry.LayerWindows[Layer];

        public int KvHeads => Workspace.Shape.Geometry.KvHeads;

        public int HeadDim => Workspace.Shape.Geometry.HeadDim;

        public CpuKvCache Cache(int sequence) => (CpuKvCache)Step.Caches[sequence];

        public float* Row(Tensor x, int row) => (float*)x.Address + (long)row * x.RowStride;
    }

    /// <summary>Appends k and v, then y = softmax(q·kᵀ/√D)·v.</summary>
    public static void Run(WorkerTeam team, Step step, int layer, Tensor q, Tensor k, Tensor v, Tensor y)
    {
        var call = new Call(step, (CpuWorkspace)step.Workspace, layer, q, k, v, y);
        Append(team, call);
        if (step.Caches.Length > 1 || step.Count == 1)
        {
            var splits = 1;
            foreach (var start in step.Starts) splits = Math.Max(splits, start / Split + 1);
            call = call with { Splits = splits };
            team.For(step.Count * call.KvHeads * splits, call, static (in Call c, int index, int worker) => DecodeSplit(c, index, worker));
            team.For(step.Count * call.KvHeads, call, static (in Call c, int index, int _) => MergeSplits(c, index));
            return;
        }
        var blocks = (step.Count + call.Workspace.QueryBlock - 1) / call.Workspace.QueryBlock;
        team.For(blocks * call.KvHeads, call, static (in Call c, int index, int worker) => Prefill(c, index, worker));
    }

    private static void Append(WorkerTeam team, in Call call)
    {
        var single = call.Step.Caches.Length == 1;
        if (single && call.Cache(0).Spec.SmoothKeys)
            team.For(call.KvHeads, call, static (in Call c, int head, int _) => c.Cache(0).FreezeMean(c.Layer, head, c.Step.Count, c.Row(c.K, 0) + head * c.HeadDim, c.K.RowStride));
        var blocks = single ? (call.Step.Count + AppendTokens - 1) / AppendTokens : call.Step.Count;
        team.For(blocks * call.KvHeads, call, static (in Call c, int index, int _) =>
        {
            var (block, head) = (index / c.KvHeads, index % c.KvHeads);
            var one = c.Step.Caches.Length == 1;
            var (cache, from) = one ? (c.Cache(0), block * AppendTokens) : (c.Cache(block), block);
            var count = one ? Math.Min(AppendTokens, c.Step.Count - from) : 1;
            var start = one ? c.Step.Starts[0] + from : c.Step.Starts[block];
            var column = head * c.HeadDim;
            if (!one) cache.FreezeMean(c.Layer, head, 1, c.Row(c.K, from) + column, c.K.RowStride);
            cache.Append(c.Layer, head, start, count, c.Row(c.K, from) + column, c.K.RowStride, c.Row(c.V, from) + column, c.V.RowStride);
        });
        for (var i = 0; i < call.Step.Caches.Length; i++) call.Cache(i).EndAppend(call.Layer);
    }

    // One sequence, key head and run of 256 tokens: scores from the codes, their exponentials, the weighted sum of the values.
    private static void DecodeSplit(in Call c, int index, int worker)
    {
        var w = c.Workspace;
        var (sequence, head, split) = (index / c.Splits / c.KvHeads, index / c.Splits % c.KvHeads, index % c.Splits);
        var cache = c.Cache(sequence);
        var (first, end) = Visible(c.Step.Starts[sequence], c.Window);
        var from = Math.Max(first, split * Split);
        var to = Math.Min(end, (split + 1) * Split);
        if (from >= to) return;

        var (rows, d) = (w.GroupSize, c.HeadDim);
        var queries = w.Worker(worker);
        var sums = queries + rows * d;
        var scores = sums + rows * d;
        var scratch = scores + rows * Split;
        LoadQueries(c, sequence, head, 1, queries);
        cache.Keys.PrepareQueries(queries, rows, sums);
        var (firstTile, endTile) = (from / Tile, KeyStore.TileCount(to));
        var keys = cache.KeyHead(c.Layer, head);
        for (var tile = firstTile; tile < endTile; tile++)
            cache.Keys.Dot(keys, tile, queries, sums, rows, scores + (tile - firstTile) * Tile, Split);

        var tokens = (endTile - firstTile) * Tile;
        var output = w.Partials(sequence, head) + (long)split * w.PartialFloats;
        var maxima = output + rows * d;
        var totals = maxima + rows;
        for (var r = 0; r < rows; r++)
        {
            var row = scores + r * Split;
            new Span<float>(row, from - firstTile * Tile).Clear();
            new Span<float>(row + to - firstTile * Tile, endTile * Tile - to).Clear();
            var visible = row + (from - firstTile * Tile);
            maxima[r] = Softmax.Max(visible, to - from);
            totals[r] = Softmax.Exp(visible, to - from, maxima[r]);
        }
        new Span<float>(output, rows * d).Clear();
        cache.Values.Accumulate(cache.ValueHead(c.Layer, head), firstTile, tokens / Tile, scores, Split, rows, output, scratch);
    }

    private static void MergeSplits(in Call c, int index)
    {
        var (w, d) = (c.Workspace, c.HeadDim);
        var (sequence, head) = (index / c.KvHeads, index % c.KvHeads);
        var (first, end) = Visible(c.Step.Starts[sequence], c.Window);
        var (firstSplit, endSplit) = (first / Split, (end + Split - 1) / Split);
        var partials = w.Partials(sequence, head);
        for (var r = 0; r < w.GroupSize; r++)
        {
            var max = float.NegativeInfinity;
            for (var s = firstSplit; s < endSplit; s++) max = MathF.Max(max, partials[s * w.PartialFloats + w.GroupSize * d + r]);
            var y = new Span<float>(c.Row(c.Y, sequence) + (head * w.GroupSize + r) * d, d);
            y.Clear();
            var total = 0f;
            for (var s = firstSplit; s < endSplit; s++)
            {
                var partial = partials + s * w.PartialFloats;
                var factor = MathF.Exp(partial[w.GroupSize * d + r] - max);
                total += factor * partial[w.GroupSize * (d + 1) + r];
                TensorPrimitives.MultiplyAdd(new ReadOnlySpan<float>(partial + r * d, d), factor, y, y);
            }
            TensorPrimitives.Divide(y, total, y);
        }
    }

    // One key head and block of query tokens, against all tokens they see.
    private static void Prefill(in Call c, int index, int worker)
    {
        var (w, d) = (c.Workspace, c.HeadDim);
        var (block, head) = (index / c.KvHeads, index % c.KvHeads);
        var firstQuery = block * w.QueryBlock;
        var count = Math.Min(w.QueryBlock, c.Step.Count - firstQuery);
        var rows = count * w.GroupSize;
        var tile = new PrefillTile(w.Worker(worker), rows, d, w.PaddedHeadDim);
        LoadQueries(c, firstQuery, head, count, tile.Queries);
        new Span<float>(tile.Output, rows * w.PaddedHeadDim).Clear();
        new Span<float>(tile.Maxima, rows).Fill(float.NegativeInfinity);
        new Span<float>(tile.Totals, rows).Clear();

        var start = c.Step.Starts[0];
        var from = Visible(start + firstQuery, c.Window).First / Block * Block;
        var to = start + firstQuery + count;
        if (w.Shape.Kernel == AttentionKernel.Flash) Flash(c, head, firstQuery, rows, tile, from, to);
        else Materialised(c, head, firstQuery, rows, tile, from, to);

        for (var r = 0; r < rows; r++)
        {
            var y = c.Row(c.Y, firstQuery + r / w.GroupSize) + (head * w.GroupSize + r % w.GroupSize) * d;
            TensorPrimitives.Divide(new ReadOnlySpan<float>(tile.Output + (long)r * w.PaddedHeadDim, d), tile.Totals[r], new Span<float>(y, d));
        }
    }

    private static void Flash(in Call c, int head, int firstQuery, int rows, in PrefillTile tile, int from, int to)
    {
        for (var key = from; key < to; key += Block)
        {
            UnpackKeys(c, head, key, to, tile.KeyPanel);
            MicroKernel.Multiply(tile.Queries, c.HeadDim, rows, tile.KeyPanel, c.HeadDim, tile.Scores, Block, accumulate: false);
            for (var r = 0; r < rows; r++)
            {
                var row = tile.Scores + r * Block;
                var (low, high) = Range(c, firstQuery + r / c.Workspace.GroupSize, key);
                new Span<float>(row, Math.Max(low, 0)).Clear();
                new Span<float>(row + high, Block - high).Clear();
                if (low >= high) continue;
                var max = MathF.Max(tile.Maxima[r], Softmax.Max(row + low, high - low));
                if (max != tile.Maxima[r])
                {
                    var factor = MathF.Exp(tile.Maxima[r] - max);
                    var output = new Span<float>(tile.Output + (long)r * c.Workspace.PaddedHeadDim, c.HeadDim);
                    TensorPrimitives.Multiply(output, factor, output);
                    tile.Totals[r] *= factor;
                    tile.Maxima[r] = max;
                }
                tile.Totals[r] += Softmax.Exp(row + low, high - low, max);
            }
            AddValues(c, head, key, to, rows, tile, tile.Scores, Block);
        }
    }

    private static void Materialised(in Call c, int head, int firstQuery, int rows, in PrefillTile tile, int from, int to)
    {
        var w = c.Workspace;
        // Rows of one query head lie together in the matrix of scores; those of a tile run over the heads of the group first.
        for (var key = from; key < to; key += Block)
        {
            UnpackKeys(c, head, key, to, tile.KeyPanel);
            MicroKernel.Multiply(tile.Queries, c.HeadDim, rows, tile.KeyPanel, c.HeadDim, tile.Scores, Block, accumulate: false);
            for (var r = 0; r < rows; r++)
                Buffer.MemoryCopy(tile.Scores + r * Block, ScoreRow(w, head, firstQuery, r) + key, Block * sizeof(float), Block * sizeof(float));
        }
        for (var r = 0; r < rows; r++)
        {
            var row = ScoreRow(w, head, firstQuery, r);
            var (first, end) = Visible(c.Step.Starts[0] + firstQuery + r / w.GroupSize, c.Window);
            tile.Totals[r] = Softmax.Exp(row + first, end - first, Softmax.Max(row + first, end - first));
            new Span<float>(row + from, first - from).Clear();
            new Span<float>(row + end, Round(to) - end).Clear();
        }
        for (var key = from; key < to; key += Block)
        {
            for (var r = 0; r < rows; r++)
                Buffer.MemoryCopy(ScoreRow(w, head, firstQuery, r) + key, tile.Scores + r * Block, Block * sizeof(float), Block * sizeof(float));
            AddValues(c, head, key, to, rows, tile, tile.Scores, Block);
        }
    }

    private static float* ScoreRow(CpuWorkspace w, int head, int firstQuery, int row) =>
        w.Scores(head * w.GroupSize + row % w.GroupSize) + (long)(firstQuery + row / w.GroupSize) * w.ScoreStride;

    private static void UnpackKeys(in Call c, int head, int key, int to, float* panel)
    {
        var cache = c.Cache(0);
        var keys = cache.KeyHead(c.Layer, head);
        for (var t = 0; t < Block && key + t < to; t += Tile) cache.Keys.Unpack(keys, (key + t) / Tile, panel + t, Block);
    }

    private static void AddValues(in Call c, int head, int key, int to, int rows, in PrefillTile tile, float* weights, int stride)
    {
        var cache = c.Cache(0);
        var values = cache.ValueHead(c.Layer, head);
        var padded = c.Workspace.PaddedHeadDim;
        var tokens = Math.Min(Block, Round16(to - key));
        for (var t = 0; t < tokens; t += Tile) cache.Values.Unpack(values, (key + t) / Tile, tile.ValueRows + t * padded, padded);
        if (padded == Block)
        {
            MicroKernel.Multiply(weights, stride, rows, tile.ValueRows, tokens, tile.Output, padded, accumulate: true);
            return;
        }
        // A panel is 64 columns wide: gather each one from the rows into the key panel's place, which is free by now.
        for (var column = 0; column < padded; column += Block)
        {
            for (var t = 0; t < tokens; t++)
                Buffer.MemoryCopy(tile.ValueRows + t * padded + column, tile.KeyPanel + t * Block, Block * sizeof(float), Block * sizeof(float));
            MicroKernel.Multiply(weights, stride, rows, tile.KeyPanel, tokens, tile.Output + column, padded, accumulate: true);
        }
    }

    private static void LoadQueries(in Call c, int firstQuery, int head, int count, float* queries)
    {
        var (group, d) = (c.Workspace.GroupSize, c.HeadDim);
        var scale = 1 / MathF.Sqrt(d);
        for (var t = 0; t < count; t++)
            TensorPrimitives.Multiply(new ReadOnlySpan<float>(c.Row(c.Q, firstQuery + t) + head * group * d, group * d), scale, new Span<float>(queries + (long)t * group * d, group * d));
    }

    // The tokens that the query at row `position` of the cache sees.
    private static (int First, int End) Visible(int position, int window) => (window > 0 ? Math.Max(0, position + 1 - window) : 0, position + 1);

    // The same within one block of keys, as columns of it.
    private static (int Low, int High) Range(in Call c, int query, int key)
    {
        var (first, end) = Visible(c.Step.Starts[0] + query, c.Window);
        return (Math.Clamp(first - key, 0, Block), Math.Clamp(end - key, 0, Block));
    }

    private static int Round(int tokens) => (tokens + Block - 1) / Block * Block;

    private static int Round16(int tokens) => (tokens + Tile - 1) / Tile * Tile;

    /// <summary>A worker's scratch during prefill.</summary>
    private readonly struct PrefillTile(float* memory, int rows, int headDim, int paddedHeadDim)
    {
        /// <summary>[rows, D], scaled by 1/√D.</summary>
        public float* Queries { get; } = memory;

        /// <summary>[D, 64], or one panel of values.</summary>
        public float* KeyPanel { get; } = memory + Round(rows * headDim);

        /// <summary>[64, padded D].</summary>
        public float* ValueRows { get; } = memory + Round(rows * headDim) + Math.Max(headDim, Block) * Block;

        /// <summary>[rows, padded D].</summary>
        public float* Output { get; } = memory + Round(rows * headDim) + (Math.Max(headDim, Block) + paddedHeadDim) * Block;

        /// <summary>[rows, 64].</summary>
        public float* Scores { get; } = memory + Round(rows * headDim) + (Math.Max(headDim, Block) + paddedHeadDim) * Block + rows * paddedHeadDim;

        /// <summary>[rows].</summary>
        public float* Maxima { get; } = memory + Round(rows * headDim) + (Math.Max(headDim, Block) + paddedHeadDim) * Block + rows * (paddedHeadDim + Block);

        /// <summary>[rows].</summary>
        public float* Totals { get; } = memory + Round(rows * headDim) + (Math.Max(headDim, Block) + paddedHeadDim) * Block + rows * (paddedHeadDim + Block + 1);
    }
}
