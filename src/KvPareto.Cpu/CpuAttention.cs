using System.Numerics.Tensors;
using System.Runtime.Intrinsics.X86;
using KvPareto.Cpu.Kernels;
using KvPareto.Cpu.Storage;
using KvPareto.Engine.Cache;
using KvPareto.Engine.Seam;
using Tensor = KvPareto.Engine.Seam.Tensor;

namespace KvPareto.Cpu;

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
    private const int ItemsPerWorker = 4;
    private const int AppendTokens = 4 * Tile;

    /// <summary>Floats of one worker's scratch.</summary>
    public static int WorkerFloats(int queryBlock, int groupSize, int headDim, int paddedHeadDim, bool prefill)
    {
        // Queries and those of their bias, scores of a split, the same aside, scaled weights (a group has at least 8 channels).
        var decode = groupSize * (2 * headDim + Split + (Split + Tile) + (Split + Tile) * Math.Max(1, headDim / 8));
        return prefill ? Math.Max(decode, PrefillTile.Floats(queryBlock * groupSize, headDim, paddedHeadDim)) : decode;
    }

    /// <summary>One layer's operands.</summary>
    private readonly record struct Call(
        Step Step, CpuWorkspace Workspace, int Layer, Tensor Q, Tensor K, Tensor V, Tensor Y, int Splits = 0, int RunSplits = 0,
            int AppendPart = 0)
    {
        public int Window => Workspace.Shape.Geometry.LayerWindows[Layer];

        public int Runs => (Splits + RunSplits - 1) / RunSplits;

        public int KvHeads => Workspace.Shape.Geometry.KvHeads;

        public int HeadDim => Workspace.Shape.Geometry.HeadDim;

        public CpuKvCache Cache(int sequence) => (CpuKvCache)Step.Caches[sequence];

        // The rows of a sequence: all of a chunk, or its own one of a batch.
        public (int First, int Count) Rows(int sequence) => Step.Caches.Length == 1 ? (0, Step.Count) : (sequence, 1);

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
            // Neighbours to one worker, so that it can ask for what it reads next; several items a worker, so that none waits long.
            var run = Math.Clamp(step.Count * call.KvHeads * splits / (ItemsPerWorker * team.Count), 1, splits);
            call = call with { Splits = splits, RunSplits = run };
            team.For(step.Count * call.KvHeads * call.Runs, call, static (in Call c, int index, int worker) => DecodeRun(c, index, worker));
            team.For(step.Count * call.KvHeads, call, static (in Call c, int index, int _) => MergeSplits(c, index));
            return;
        }
        var blocks = (step.Count + call.Workspace.QueryBlock - 1) / call.Workspace.QueryBlock;
        team.For(blocks * call.KvHeads, call, static (in Call c, int index, int worker) => Prefill(c, index, worker));
    }

    private static void Append(WorkerTeam team, in Call call)
    {
        var (caches, layer) = (call.Step.Caches.Length, call.Layer);
        for (var i = 0; layer == 0 && i < caches; i++) call.Cache(i).Turns?.Extend(call.Cache(i).Length);
        if (call.Cache(0).Transforms || caches > 1)
        {
            team.For(caches * call.KvHeads, call, static (in Call c, int index, int _) =>
            {
                var (sequence, head) = Math.DivRem(index, c.KvHeads);
                var (row, rows) = c.Rows(sequence);
                var column = head * c.HeadDim;
                c.Cache(sequence)
                    .Transform(c.Layer, head, c.Step.Positions.AsSpan(row, rows), c.Row(c.K, row) + column, c.K.RowStride,
                    c.Row(c.V, row) + column, c.V.RowStride);
            });
        }
        for (var i = 0; i < caches; i++)
        {
            var (row, rows) = call.Rows(i);
            call.Cache(i)
                .BeginAppend(
                layer, call.Step.Starts[i], rows, call.Row(call.K, row), call.K.RowStride, call.Row(call.V, row), call.V.RowStride);
        }
        var part = caches == 1 && call.Cache(0).IsDivisible(layer) ? AppendTokens : Math.Max(AppendTokens, call.Step.Count);
        var parts = caches > 1 ? 1 : (call.Step.Count + part - 1) / part;
        team.For(caches * parts * call.KvHeads, call with { AppendPart = part }, static (in Call c, int index, int _) =>
        {
            var (item, head) = Math.DivRem(index, c.KvHeads);
            var sequence = c.Step.Caches.Length > 1 ? item : 0;
            var skip = c.Step.Caches.Length > 1 ? 0 : item * c.AppendPart;
            var (row, rows) = c.Rows(sequence);
            var column = head * c.HeadDim;
            c.Cache(sequence).Append(
                c.Layer, head, c.Step.Starts[sequence] + skip, Math.Min(c.AppendPart, rows - skip),
                c.Row(c.K, row + skip) + column, c.K.RowStride, c.Row(c.V, row + skip) + column, c.V.RowStride);
        });
    }

    // One sequence, key head and run of splits, which have their queries in common.
    private static void DecodeRun(in Call c, int index, int worker)
    {
        var (sequence, head, run) = (index / c.Runs / c.KvHeads, index / c.Runs % c.KvHeads, index % c.Runs);
        var queries = c.Workspace.Worker(worker);
        LoadQueries(c, c.Cache(sequence), sequence, head, 1, queries, queries + c.Workspace.GroupSize * c.HeadDim);
        for (var split = run * c.RunSplits; split < Math.Min(c.Splits, (run + 1) * c.RunSplits); split++)
            DecodeSplit(c, sequence, head, split, worker);
    }

    // One sequence, key head and 256 tokens: scores from the codes, their exponentials, the weighted sum of the values.
    private static void DecodeSplit(in Call c, int sequence, int head, int split, int worker)
    {
        var w = c.Workspace;
        var cache = c.Cache(sequence);
        var (first, end) = Visible(c.Step.Starts[sequence], c.Window);
        var from = Math.Max(first, split * Split);
        var to = Math.Min(end, (split + 1) * Split);
        if (from >= to) return;

        var (rows, d) = (w.GroupSize, c.HeadDim);
        var queries = w.Worker(worker);
        var biasQueries = queries + rows * d;
        var scores = biasQueries + rows * d;
        var aside = scores + rows * Split;
        var scratch = aside + rows * (Split + Tile);
        var keys = cache.Keys(c.Layer, head);
        var values = cache.Values(c.Layer, head);
        Prefetch(values, from, to);
        for (var i = 0; i < keys.Count; i++) Dot(keys[i], split * Split, from, to, queries, rows, scores, aside, only: keys.Count == 1);
        if (cache.Turns is { } turns)
        {
            Dot(turns.Segment(cache.Length), split * Split, from, to, biasQueries, rows, scratch, aside, only: true);
            for (var r = 0; r < rows; r++)
            {
                var row = new Span<float>(scores + r * Split, Split);
                TensorPrimitives.Add(row, new ReadOnlySpan<float>(scratch + r * Split, Split), row);
            }
        }

        var output = w.Partials(sequence, head) + (long)split * w.PartialFloats;
        var maxima = output + rows * d;
        var totals = maxima + rows;
        for (var r = 0; r < rows; r++)
        {
            var row = scores + r * Split;
            var (low, high) = (from - split * Split, to - split * Split);
            new Span<float>(row, low).Clear();
            new Span<float>(row + high, Split - high).Clear();
            maxima[r] = Softmax.Max(row + low, high - low);
            totals[r] = Softmax.Exp(row + low, high - low, maxima[r]);
        }
        new Span<float>(output, rows * d).Clear();
        Prefetch(keys, to, Math.Min(end, to + Split));
        for (var i = 0; i < values.Count; i++)
            Accumulate(values[i], split * Split, from, to, scores, rows, output, aside, scratch, only: values.Count == 1);
    }

    // Asks for the tiles of [from, to): they arrive while other work is done.
    private static void Prefetch<TStore>(in Segments<TStore> segments, int from, int to)
        where TStore : TokenStore
    {
        if (!Sse.IsSupported) return;
        for (var i = 0; i < segments.Count; i++)
        {
            var segment = segments[i];
            var (first, end) = (Math.Max(from, segment.First), Math.Min(to, segment.End));
            if (first >= end) continue;
            var (tile, tiles, _) = Tiles(segment.Origin, first, end);
            var address = segment.Place.Head + (long)tile * segment.Store.TileBytes;
            for (var line = 0L; line < (long)tiles * segment.Store.TileBytes; line += 64) Sse.Prefetch1(address + line);
        }
    }

    // scores[r, t − origin] for the tokens of [from, to) that lie in one stretch. Where tiles hold tokens of other stretches too,
    // they are computed aside and only the stretch's own are copied.
    private static void Dot(
        Segment<KeyStore> segment, int origin, int from, int to, float* queries, int rows, float* scores, float* aside, bool only)
    {
        (from, to) = (Math.Max(from, segment.First), Math.Min(to, segment.End));
        if (from >= to) return;
        var (tile, tiles, tileStart) = Tiles(segment.Origin, from, to);
        if (only && tileStart >= origin)
        {
            segment.Store.Dot(segment.Place, tile, tiles, queries, rows, scores + (tileStart - origin), Split);
            return;
        }
        segment.Store.Dot(segment.Place, tile, tiles, queries, rows, aside, Split + Tile);
        for (var r = 0; r < rows; r++)
            new ReadOnlySpan<float>(aside + r * (Split + Tile) + (from - tileStart), to - from)
                .CopyTo(new Span<float>(scores + r * Split + (from - origin), to - from));
    }

    private static void Accumulate(
        Segment<ValueStore> segment, int origin, int from, int to, float* weights, int rows, float* output, float* aside, float* scratch,
            bool only)
    {
        (from, to) = (Math.Max(from, segment.First), Math.Min(to, segment.End));
        if (from >= to) return;
        var (tile, tiles, tileStart) = Tiles(segment.Origin, from, to);
        if (only && tileStart >= origin)
        {
            segment.Store.Accumulate(segment.Place, tile, tiles, weights + (tileStart - origin), Split, rows, output, scratch);
            return;
        }
        for (var r = 0; r < rows; r++)
        {
            var row = new Span<float>(aside + r * (Split + Tile), tiles * Tile);
            row.Clear();
            new ReadOnlySpan<float>(weights + r * Split + (from - origin), to - from).CopyTo(row[(from - tileStart)..]);
        }
        segment.Store.Accumulate(segment.Place, tile, tiles, aside, Split + Tile, rows, output, scratch);
    }

    // The tiles that hold the tokens [from, to), their number, and the first one's first token.
    private static (int Tile, int Count, int FirstToken) Tiles(int origin, int from, int to)
    {
        var tile = (from - origin) / Tile;
        return (tile, KeyStore.TileCount(to - origin) - tile, origin + tile * Tile);
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
            TurnBack(c.Cache(sequence), c.Row(c.Y, sequence) + (head * w.GroupSize + r) * d);
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
        LoadQueries(c, c.Cache(0), firstQuery, head, count, tile.Queries, tile.BiasQueries);
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
            TensorPrimitives.Divide(
                new ReadOnlySpan<float>(tile.Output + (long)r * w.PaddedHeadDim, d), tile.Totals[r], new Span<float>(y, d));
            TurnBack(c.Cache(0), y);
        }
    }

    // Values were rotated before coding: so is their weighted sum.
    private static void TurnBack(CpuKvCache cache, float* row)
    {
        if (cache.Spec.Rotation == KvRotation.KeysAndValues) Hadamard.Transform(row, cache.Geometry.HeadDim);
    }

    private static void Flash(in Call c, int head, int firstQuery, int rows, in PrefillTile tile, int from, int to)
    {
        for (var key = from; key < to; key += Block)
        {
            ScoreBlock(c, head, key, to, rows, tile);
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
            ScoreBlock(c, head, key, to, rows, tile);
            for (var r = 0; r < rows; r++)
                Buffer.MemoryCopy(
                    tile.Scores + r * Block, ScoreRow(w, head, firstQuery, r) + key, Block * sizeof(float), Block * sizeof(float));
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
                Buffer.MemoryCopy(
                    ScoreRow(w, head, firstQuery, r) + key, tile.Scores + r * Block, Block * sizeof(float), Block * sizeof(float));
            AddValues(c, head, key, to, rows, tile, tile.Scores, Block);
        }
    }

    private static float* ScoreRow(CpuWorkspace w, int head, int firstQuery, int row) =>
        w.Scores(head * w.GroupSize + row % w.GroupSize) + (long)(firstQuery + row / w.GroupSize) * w.ScoreStride;

    // tile.Scores[r, t] = q[r]·k[key + t].
    private static void ScoreBlock(in Call c, int head, int key, int to, int rows, in PrefillTile tile)
    {
        var (cache, d) = (c.Cache(0), c.HeadDim);
        var keys = cache.Keys(c.Layer, head);
        for (var i = 0; i < keys.Count; i++) UnpackKeys(keys[i], key, to, tile.KeyPanel, only: keys.Count == 1);
        MicroKernel.Multiply(tile.Queries, d, rows, tile.KeyPanel, d, tile.Scores, Block, accumulate: false);
        if (cache.Turns is not { } turns) return;
        UnpackKeys(turns.Segment(cache.Length), key, to, tile.KeyPanel, only: true);
        MicroKernel.Multiply(tile.BiasQueries, d, rows, tile.KeyPanel, d, tile.Scores, Block, accumulate: true);
    }

    // Columns [key, key + 64) of a panel, those of them that lie in one stretch.
    private static void UnpackKeys(Segment<KeyStore> segment, int key, int to, float* panel, bool only)
    {
        var (from, end) = (Math.Max(key, segment.First), Math.Min(Math.Min(to, key + Block), segment.End));
        if (from >= end) return;
        var (tile, tiles, tileStart) = Tiles(segment.Origin, from, end);
        var aside = stackalloc float[segment.Store.HeadDim * Tile];
        for (; tiles > 0; tile++, tiles--, tileStart += Tile)
        {
            if (only && tileStart >= key && tileStart + Tile <= key + Block)
            {
                segment.Store.Unpack(segment.Place, tile, panel + (tileStart - key), Block);
                continue;
            }
            segment.Store.Unpack(segment.Place, tile, aside, Tile);
            var (low, high) = (Math.Max(from, tileStart), Math.Min(end, tileStart + Tile));
            for (var d = 0; d < segment.Store.HeadDim; d++)
                new ReadOnlySpan<float>(aside + d * Tile + (low - tileStart), high - low)
                    .CopyTo(new Span<float>(panel + d * Block + (low - key), high - low));
        }
    }

    // Rows [key, key + 64) of values, those of them that lie in one stretch.
    private static void UnpackValues(Segment<ValueStore> segment, int key, int to, float* values, int stride, bool only)
    {
        var (from, end) = (Math.Max(key, segment.First), Math.Min(Math.Min(to, key + Block), segment.End));
        if (from >= end) return;
        var (tile, tiles, tileStart) = Tiles(segment.Origin, from, end);
        var width = segment.Store.HeadDim;
        var aside = stackalloc float[width * Tile];
        for (; tiles > 0; tile++, tiles--, tileStart += Tile)
        {
            if (only && tileStart >= key && tileStart + Tile <= key + Block)
            {
                segment.Store.Unpack(segment.Place, tile, values + (long)(tileStart - key) * stride, stride);
                continue;
            }
            segment.Store.Unpack(segment.Place, tile, aside, width);
            for (var token = Math.Max(from, tileStart); token < Math.Min(end, tileStart + Tile); token++)
                new ReadOnlySpan<float>(aside + (token - tileStart) * width, width)
                    .CopyTo(new Span<float>(values + (long)(token - key) * stride, width));
        }
    }

    private static void AddValues(in Call c, int head, int key, int to, int rows, in PrefillTile tile, float* weights, int stride)
    {
        var padded = c.Workspace.PaddedHeadDim;
        var values = c.Cache(0).Values(c.Layer, head);
        var tokens = Math.Min(Block, to - key);
        for (var i = 0; i < values.Count; i++) UnpackValues(values[i], key, to, tile.ValueRows, padded, only: values.Count == 1);
        if (padded == Block)
        {
            MicroKernel.Multiply(weights, stride, rows, tile.ValueRows, tokens, tile.Output, padded, accumulate: true);
            return;
        }
        // A panel is 64 columns wide: gather each one from the rows into the key panel's place, which is free by now.
        for (var column = 0; column < padded; column += Block)
        {
            for (var t = 0; t < tokens; t++)
                Buffer.MemoryCopy(
                    tile.ValueRows + t * padded + column, tile.KeyPanel + t * Block, Block * sizeof(float), Block * sizeof(float));
            MicroKernel.Multiply(weights, stride, rows, tile.KeyPanel, tokens, tile.Output + column, padded, accumulate: true);
        }
    }

    // Queries of one key head's group, [count·group, D], scaled, and as the cache's keys are: rotated, with the vectors for their bias.
    private static void LoadQueries(in Call c, CpuKvCache cache, int firstQuery, int head, int count, float* queries, float* biasQueries)
    {
        var (group, d) = (c.Workspace.GroupSize, c.HeadDim);
        var scale = cache.Geometry.ScoreScale;
        for (var t = 0; t < count; t++)
            TensorPrimitives.Multiply(
                new ReadOnlySpan<float>(c.Row(c.Q, firstQuery + t) + head * group * d, group * d), scale,
                    new Span<float>(queries + (long)t * group * d, group * d));
        cache.Turns?.Queries(c.Layer, head, queries, count * group, biasQueries);
        if (cache.Spec.Rotation != KvRotation.None) Hadamard.Transform(queries, count * group, d);
    }

    // The tokens that the query at row `position` of the cache sees.
    private static (int First, int End) Visible(int position, int window) =>
        (window > 0 ? Math.Max(0, position + 1 - window) : 0, position + 1);

    // The same within one block of keys, as columns of it.
    private static (int Low, int High) Range(in Call c, int query, int key)
    {
        var (first, end) = Visible(c.Step.Starts[0] + query, c.Window);
        return (Math.Clamp(first - key, 0, Block), Math.Clamp(end - key, 0, Block));
    }

    private static int Round(int tokens) => (tokens + Block - 1) / Block * Block;

    /// <summary>A worker's scratch during prefill.</summary>
    private readonly struct PrefillTile(float* memory, int rows, int headDim, int paddedHeadDim)
    {
        /// <summary>[D, 64], or one panel of values.</summary>
        public float* KeyPanel { get; } = memory;

        /// <summary>[64, padded D].</summary>
        public float* ValueRows { get; } = memory + Math.Max(headDim, Block) * Block;

        /// <summary>[rows, D], scaled.</summary>
        public float* Queries { get; } = memory + (Math.Max(headDim, Block) + paddedHeadDim) * Block;

        /// <summary>[rows, D]; see <see cref="PositionTurns.Queries"/>.</summary>
        public float* BiasQueries => Queries + rows * headDim;

        /// <summary>[rows, padded D].</summary>
        public float* Output => BiasQueries + rows * headDim;

        /// <summary>[rows, 64].</summary>
        public float* Scores => Output + rows * paddedHeadDim;

        /// <summary>[rows].</summary>
        public float* Maxima => Scores + rows * Block;

        /// <summary>[rows].</summary>
        public float* Totals => Maxima + rows;

        /// <summary>Floats that it takes.</summary>
        public static int Floats(int rows, int headDim, int paddedHeadDim) =>
            (Math.Max(headDim, Block) + paddedHeadDim) * Block + rows * (2 * headDim + paddedHeadDim + Block + 2);
    }
}
