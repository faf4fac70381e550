using System.Numerics.Tensors;
using KvPareto.Cpu.Kernels;
using KvPareto.Cpu.Storage;

namespace KvPareto.Cpu.Attention;

/// <summary>One token's attention: products with the codes themselves, split along the context.</summary>
internal static unsafe class DecodeAttention
{
    private const int Split = CpuWorkspace.SplitTokens;
    private const int Tile = KvTile.Tokens;

    /// <summary>Floats of a worker's scratch: queries and those of their bias, scores of a split, the same aside, scaled weights (a group
    /// has at least 8 channels).</summary>
    public static int Floats(int groupSize, int headDim) =>
        groupSize * (2 * headDim + Split + (Split + Tile) + (Split + Tile) * Math.Max(1, headDim / 8));

    /// <summary>One sequence, key head and run of splits, which have their queries in common: reads what that head's append wrote and
    /// what all heads share, and nothing of other sequences or heads.</summary>
    public static void Run(in AttentionCall c, int index, int worker)
    {
        var (sequence, head, run) = (index / c.Items / c.KvHeads, index / c.Items % c.KvHeads, index % c.Items);
        var queries = c.Workspace.Worker(worker);
        c.LoadQueries(c.Cache(sequence), sequence, head, 1, queries, queries + c.Workspace.GroupSize * c.HeadDim);
        for (var split = run * c.ItemSplits; split < Math.Min(c.Splits, (run + 1) * c.ItemSplits); split++)
            DecodeSplit(c, sequence, head, split, worker);
    }

    // One sequence, key head and 256 tokens: scores from the codes, their exponentials, the weighted sum of the values.
    private static void DecodeSplit(in AttentionCall c, int sequence, int head, int split, int worker)
    {
        var w = c.Workspace;
        var cache = c.Cache(sequence);
        var (first, end) = c.Visible(c.Step.Starts[sequence]);
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
        for (var i = 0; i < keys.Count; i++) Dot(keys[i], split * Split, from, to, queries, rows, scores, aside, only: keys.Count == 1);
        if (cache.Turns is { } turns)
        {
            Dot(turns.Range(cache.Length), split * Split, from, to, biasQueries, rows, scratch, aside, only: true);
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
        for (var i = 0; i < values.Count; i++)
            Accumulate(values[i], split * Split, from, to, scores, rows, output, aside, scratch, only: values.Count == 1);
    }

    // scores[r, t − origin] for the tokens of [from, to) that lie in one stretch. Where tiles hold tokens of other stretches too,
    // they are computed aside and only the stretch's own are copied.
    private static void Dot(
        TokenRange<KeyStore> range, int origin, int from, int to, float* queries, int rows, float* scores, float* aside, bool only)
    {
        (from, to) = (Math.Max(from, range.First), Math.Min(to, range.End));
        if (from >= to) return;
        var (tile, tiles, tileStart) = AttentionCall.Tiles(range.Origin, from, to);
        if (only && tileStart >= origin)
        {
            range.Store.Dot(range.Place, tile, tiles, queries, rows, scores + (tileStart - origin), Split);
            return;
        }
        range.Store.Dot(range.Place, tile, tiles, queries, rows, aside, Split + Tile);
        for (var r = 0; r < rows; r++)
            new ReadOnlySpan<float>(aside + r * (Split + Tile) + (from - tileStart), to - from)
                .CopyTo(new Span<float>(scores + r * Split + (from - origin), to - from));
    }

    private static void Accumulate(
        TokenRange<ValueStore> range, int origin, int from, int to, float* weights, int rows, float* output, float* aside, float* scratch,
            bool only)
    {
        (from, to) = (Math.Max(from, range.First), Math.Min(to, range.End));
        if (from >= to) return;
        var (tile, tiles, tileStart) = AttentionCall.Tiles(range.Origin, from, to);
        if (only && tileStart >= origin)
        {
            range.Store.Accumulate(range.Place, tile, tiles, weights + (tileStart - origin), Split, rows, output, scratch);
            return;
        }
        for (var r = 0; r < rows; r++)
        {
            var row = new Span<float>(aside + r * (Split + Tile), tiles * Tile);
            row.Clear();
            new ReadOnlySpan<float>(weights + r * Split + (from - origin), to - from).CopyTo(row[(from - tileStart)..]);
        }
        range.Store.Accumulate(range.Place, tile, tiles, aside, Split + Tile, rows, output, scratch);
    }

    /// <summary>One sequence and key head: the splits' outputs as one.</summary>
    public static void Merge(in AttentionCall c, int index)
    {
        var (w, d) = (c.Workspace, c.HeadDim);
        var (sequence, head) = (index / c.KvHeads, index % c.KvHeads);
        var (first, end) = c.Visible(c.Step.Starts[sequence]);
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
            AttentionCall.TurnBack(c.Cache(sequence), c.Row(c.Y, sequence) + (head * w.GroupSize + r) * d);
        }
    }
}
