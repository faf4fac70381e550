using System.Numerics.Tensors;
using KvPareto.Cpu.Kernels;
using KvPareto.Engine.Seam;

namespace KvPareto.Cpu.Attention;

/// <summary>A chunk's attention, a block of query tokens and of 64 keys at a time: with a running softmax, or by all scores.</summary>
internal static unsafe class PrefillAttention
{
    private const int Block = CpuWorkspace.BlockTokens;

    /// <summary>One key head and block of query tokens, against all tokens they see.</summary>
    public static void Run(in AttentionCall c, int index, int worker)
    {
        var (w, d) = (c.Workspace, c.HeadDim);
        var (block, head) = (index / c.KvHeads, index % c.KvHeads);
        var firstQuery = block * w.QueryBlock;
        var count = Math.Min(w.QueryBlock, c.Step.Count - firstQuery);
        var rows = count * w.GroupSize;
        var tile = new PrefillTile(w.Worker(worker), rows, d, w.PaddedHeadDim);
        c.LoadQueries(c.Cache(0), firstQuery, head, count, tile.Queries, tile.BiasQueries);
        new Span<float>(tile.Output, rows * w.PaddedHeadDim).Clear();
        new Span<float>(tile.Maxima, rows).Fill(float.NegativeInfinity);
        new Span<float>(tile.Totals, rows).Clear();

        var start = c.Step.Starts[0];
        var from = c.Visible(start + firstQuery).First / Block * Block;
        var to = start + firstQuery + count;
        if (w.Shape.Kernel == AttentionKernel.Flash) Flash(c, head, firstQuery, rows, tile, from, to);
        else Materialised(c, head, firstQuery, rows, tile, from, to);

        for (var r = 0; r < rows; r++)
        {
            var y = c.Row(c.Y, firstQuery + r / w.GroupSize) + (head * w.GroupSize + r % w.GroupSize) * d;
            TensorPrimitives.Divide(
                new ReadOnlySpan<float>(tile.Output + (long)r * w.PaddedHeadDim, d), tile.Totals[r], new Span<float>(y, d));
            AttentionCall.TurnBack(c.Cache(0), y);
        }
    }

    private static void Flash(in AttentionCall c, int head, int firstQuery, int rows, in PrefillTile tile, int from, int to)
    {
        for (var key = from; key < to; key += Block)
        {
            PrefillBlock.Score(c, head, key, to, rows, tile);
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
            PrefillBlock.AddValues(c, head, key, to, rows, tile);
        }
    }

    private static void Materialised(in AttentionCall c, int head, int firstQuery, int rows, in PrefillTile tile, int from, int to)
    {
        var w = c.Workspace;
        // Rows of one query head lie together in the matrix of scores; those of a tile run over the heads of the group first.
        for (var key = from; key < to; key += Block)
        {
            PrefillBlock.Score(c, head, key, to, rows, tile);
            for (var r = 0; r < rows; r++)
                Buffer.MemoryCopy(
                    tile.Scores + r * Block, ScoreRow(w, head, firstQuery, r) + key, Block * sizeof(float), Block * sizeof(float));
        }
        for (var r = 0; r < rows; r++)
        {
            var row = ScoreRow(w, head, firstQuery, r);
            var (first, end) = c.Visible(c.Step.Starts[0] + firstQuery + r / w.GroupSize);
            tile.Totals[r] = Softmax.Exp(row + first, end - first, Softmax.Max(row + first, end - first));
            new Span<float>(row + from, first - from).Clear();
            new Span<float>(row + end, Round(to) - end).Clear();
        }
        for (var key = from; key < to; key += Block)
        {
            for (var r = 0; r < rows; r++)
                Buffer.MemoryCopy(
                    ScoreRow(w, head, firstQuery, r) + key, tile.Scores + r * Block, Block * sizeof(float), Block * sizeof(float));
            PrefillBlock.AddValues(c, head, key, to, rows, tile);
        }
    }

    private static float* ScoreRow(CpuWorkspace w, int head, int firstQuery, int row) =>
        w.Scores(head * w.GroupSize + row % w.GroupSize) + (long)(firstQuery + row / w.GroupSize) * w.ScoreStride;

    // The same within one block of keys, as columns of it.
    private static (int Low, int High) Range(in AttentionCall c, int query, int key)
    {
        var (first, end) = c.Visible(c.Step.Starts[0] + query);
        return (Math.Clamp(first - key, 0, Block), Math.Clamp(end - key, 0, Block));
    }

    private static int Round(int tokens) => (tokens + Block - 1) / Block * Block;
}
