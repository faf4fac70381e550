using KvPareto.Cpu.Kernels;
using KvPareto.Engine.Seam;
using Tensor = KvPareto.Engine.Seam.Tensor;

namespace KvPareto.Cpu.Attention;

/// <summary>
/// Attention over packed caches. Decoding multiplies with the codes themselves, split along the context; prefill unpacks blocks
/// of 64 tokens into panels that stay in the cache nearest to the core and are used by up to 192 query rows. Neither holds
/// anything of size T·L except the <see cref="AttentionKernel.Math"/> kernel, which is there to be compared with.
/// </summary>
internal static unsafe class CpuAttention
{
    private const int ItemsPerWorker = 4;
    private const int AppendTokens = 4 * KvTile.Tokens;

    /// <summary>Floats of one worker's scratch.</summary>
    public static int WorkerFloats(int queryBlock, int groupSize, int headDim, int paddedHeadDim, bool prefill)
    {
        var decode = DecodeAttention.Floats(groupSize, headDim);
        return prefill ? Math.Max(decode, PrefillTile.Floats(queryBlock * groupSize, headDim, paddedHeadDim)) : decode;
    }

    /// <summary>Appends k and v, then y = softmax(s·q·kᵀ)·v.</summary>
    public static void Run(WorkerTeam team, Step step, int layer, Tensor q, Tensor k, Tensor v, Tensor y)
    {
        var call = new AttentionCall(step, (CpuWorkspace)step.Workspace, layer, q, k, v, y);
        BeginAppend(team, call);
        if (step.Caches.Length > 1 || step.Count == 1)
        {
            var heads = step.Count * call.KvHeads;
            var splits = 1;
            foreach (var start in step.Starts) splits = Math.Max(splits, start / CpuWorkspace.SplitTokens + 1);
            // Neighbours to one worker, so that it can ask for what it reads next; several items a worker, so that none waits long.
            var run = Math.Clamp(heads * splits / (ItemsPerWorker * team.Count), 1, splits);
            call = call with { Splits = splits, ItemSplits = run };
            // What an item reads of the step's own tokens it has written itself.
            if (call.Items == 1)
            {
                team.For(heads, call, static (in AttentionCall c, int index, int worker) =>
                {
                    Append(c, index);
                    DecodeAttention.Run(c, index, worker);
                    DecodeAttention.Merge(c, index);
                });
            }
            else
            {
                team.For(heads, call, static (in AttentionCall c, int index, int _) => Append(c, index));
                team.For(
                    heads * call.Items, call, static (in AttentionCall c, int index, int worker) => DecodeAttention.Run(c, index, worker));
                team.For(heads, call, static (in AttentionCall c, int index, int _) => DecodeAttention.Merge(c, index));
            }
        }
        else
        {
            var part = call.Cache(0).IsDivisible(layer) ? AppendTokens : Math.Max(AppendTokens, step.Count);
            call = call with { AppendPart = part };
            team.For(
                (step.Count + part - 1) / part * call.KvHeads, call, static (in AttentionCall c, int index, int _) => Append(c, index));
            var blocks = (step.Count + call.Workspace.QueryBlock - 1) / call.Workspace.QueryBlock;
            team.For(
                blocks * call.KvHeads, call, static (in AttentionCall c, int index, int worker) => PrefillAttention.Run(c, index, worker));
        }
        for (var i = 0; i < step.Caches.Length; i++)
        {
            if (!call.Cache(i).IsBroken) continue;
            var (first, count) = call.Rows(i);
            for (var row = first; row < first + count; row++) new Span<float>(call.Row(y, row), y.ColumnCount).Fill(float.NaN);
        }
    }

    // What comes before any head's tokens are stored.
    private static void BeginAppend(WorkerTeam team, in AttentionCall call)
    {
        var (caches, layer) = (call.Step.Caches.Length, call.Layer);
        for (var i = 0; layer == 0 && i < caches; i++) call.Cache(i).Turns?.Extend(call.Cache(i).Length);
        if (call.Cache(0).Transforms)
        {
            team.For(caches * call.KvHeads, call, static (in AttentionCall c, int index, int _) =>
            {
                var (sequence, head) = Math.DivRem(index, c.KvHeads);
                var (row, rows) = c.Rows(sequence);
                var column = head * c.HeadDim;
                c.Cache(sequence).Transform(
                    c.Layer, head, c.Step.Positions.AsSpan(row, rows), c.Row(c.K, row) + column, c.K.RowStride,
                    c.Row(c.V, row) + column, c.V.RowStride);
            });
        }
        for (var i = 0; i < caches; i++)
        {
            var (row, rows) = call.Rows(i);
            call.Cache(i).BeginAppend(
                layer, call.Step.Starts[i], rows, call.Row(call.K, row), call.K.RowStride, call.Row(call.V, row), call.V.RowStride);
        }
    }

    // One key head's new token of a sequence, or some of those of a chunk.
    private static void Append(in AttentionCall c, int index)
    {
        var (item, head) = Math.DivRem(index, c.KvHeads);
        var (sequence, skip) = c.Step.Caches.Length > 1 ? (item, 0) : (0, item * c.AppendPart);
        var (row, rows) = c.Rows(sequence);
        var column = head * c.HeadDim;
        c.Cache(sequence).Append(
            c.Layer, head, c.Step.Starts[sequence] + skip, Math.Min(c.AppendPart, rows - skip),
            c.Row(c.K, row + skip) + column, c.K.RowStride, c.Row(c.V, row + skip) + column, c.V.RowStride);
    }
}
