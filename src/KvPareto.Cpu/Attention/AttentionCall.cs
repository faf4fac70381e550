using System.Numerics.Tensors;
using KvPareto.Cpu.Kernels;
using KvPareto.Cpu.Storage;
using KvPareto.Engine.Cache;
using KvPareto.Engine.Seam;
using Tensor = KvPareto.Engine.Seam.Tensor;

namespace KvPareto.Cpu.Attention;

/// <summary>One layer's operands, and how its work is parted.</summary>
/// <param name="Step">Tokens and caches.</param>
/// <param name="Workspace">The step's scratch.</param>
/// <param name="Layer">Layer.</param>
/// <param name="Q">[T, Nq·D].</param>
/// <param name="K">[T, Nkv·D].</param>
/// <param name="V">[T, Nkv·D].</param>
/// <param name="Y">[T, Nq·D]; may be q.</param>
/// <param name="Splits">A token's attention: parts of the longest context.</param>
/// <param name="ItemSplits">How many of these, neighbours, an item takes.</param>
/// <param name="AppendPart">Tokens of a chunk that an item appends.</param>
internal readonly unsafe record struct AttentionCall(
    Step Step, CpuWorkspace Workspace, int Layer, Tensor Q, Tensor K, Tensor V, Tensor Y, int Splits = 0, int ItemSplits = 0,
        int AppendPart = 1)
{
    /// <summary>Tokens that a query sees, its own included; 0 for all.</summary>
    public int Window => Workspace.Shape.Geometry.LayerWindows[Layer];

    /// <summary>Items of one token and key head.</summary>
    public int Items => (Splits + ItemSplits - 1) / ItemSplits;

    /// <summary>Nkv.</summary>
    public int KvHeads => Workspace.Shape.Geometry.KvHeads;

    /// <summary>D.</summary>
    public int HeadDim => Workspace.Shape.Geometry.HeadDim;

    /// <summary>One of the step's caches.</summary>
    public CpuKvCache Cache(int sequence) => (CpuKvCache)Step.Caches[sequence];

    /// <summary>The rows of a sequence: all of a chunk, or its own one of a batch.</summary>
    public (int First, int Count) Rows(int sequence) => Step.Caches.Length == 1 ? (0, Step.Count) : (sequence, 1);

    /// <summary>First element of a row.</summary>
    public float* Row(Tensor x, int row) => (float*)x.Address + (long)row * x.RowStride;

    /// <summary>Queries of one key head's group, [count·group, D], scaled, and as the cache's keys are: rotated, with the vectors for their
    /// bias.</summary>
    public void LoadQueries(CpuKvCache cache, int firstQuery, int head, int count, float* queries, float* biasQueries)
    {
        var (group, d) = (Workspace.GroupSize, HeadDim);
        var scale = cache.Geometry.ScoreScale;
        for (var t = 0; t < count; t++)
            TensorPrimitives.Multiply(
                new ReadOnlySpan<float>(Row(Q, firstQuery + t) + head * group * d, group * d), scale,
                    new Span<float>(queries + (long)t * group * d, group * d));
        cache.Turns?.Queries(Layer, head, queries, count * group, biasQueries);
        if (cache.Spec.Rotation != KvRotation.None) Hadamard.Transform(queries, count * group, d);
    }

    /// <summary>Values were rotated before coding: so is their weighted sum.</summary>
    public static void TurnBack(CpuKvCache cache, float* row)
    {
        if (cache.Spec.Rotation == KvRotation.KeysAndValues) Hadamard.Transform(row, cache.Geometry.HeadDim);
    }

    /// <summary>The tokens that the query at row <paramref name="position"/> of the cache sees.</summary>
    public (int First, int End) Visible(int position) => (Window > 0 ? Math.Max(0, position + 1 - Window) : 0, position + 1);

    /// <summary>The tiles that hold the tokens [from, to), their number, and the first one's first token.</summary>
    public static (int Tile, int Count, int FirstToken) Tiles(int origin, int from, int to)
    {
        var tile = (from - origin) / KvTile.Tokens;
        return (tile, KeyStore.TileCount(to - origin) - tile, origin + tile * KvTile.Tokens);
    }
}
