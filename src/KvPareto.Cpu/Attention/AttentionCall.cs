using System.Numerics.Tensors;
using KvPareto.Cpu.Kernels;
using KvPareto.Cpu.Storage;
using KvPareto.Engine.Cache;
using KvPareto.Engine.Seam;
using Tensor = KvPareto.Engine.Seam.Tensor;

namespace KvPareto.Cpu.Attention;

/// <summary>One layer's operands.</summary>
internal readonly unsafe record struct AttentionCall(
    Step Step, CpuWorkspace Workspace, int Layer, Tensor Q, Tensor K, Tensor V, Tensor Y, int Splits = 0, int ItemSplits = 0,
        int AppendPart = 1)
{
    public int Window => Workspace.Shape.Geometry.LayerWindows[Layer];

    public int Items => (Splits + ItemSplits - 1) / ItemSplits;

    public int KvHeads => Workspace.Shape.Geometry.KvHeads;

    public int HeadDim => Workspace.Shape.Geometry.HeadDim;

    public CpuKvCache Cache(int sequence) => (CpuKvCache)Step.Caches[sequence];

    // The rows of a sequence: all of a chunk, or its own one of a batch.
    public (int First, int Count) Rows(int sequence) => Step.Caches.Length == 1 ? (0, Step.Count) : (sequence, 1);

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
