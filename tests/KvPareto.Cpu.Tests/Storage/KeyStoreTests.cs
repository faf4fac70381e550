using KvPareto.Cpu.Kernels;
using KvPareto.Engine.Cache;

namespace KvPareto.Cpu.Tests.Storage;

public sealed unsafe class KeyStoreTests
{
    private const int Heads = 2;
    private const int Tile = 16;
    private const int Tokens = 4 * Tile;
    private const float Poison = -7777.25f;
    private const double DotTolerance = 1e-5; // of Σ|q| and the largest |k| appended

    [Theory]
    [MemberData(nameof(StoreShape.AxesAndBits), MemberType = typeof(StoreShape))]
    public void Unpack_IsTheScalarCodec_AtEveryWidth(KvAxis axis, int bits)
    {
        foreach (var (shape, width) in Shapes(axis, bits))
        {
            var store = shape.Keys(Tokens, width);
            var rows = StoredHeads.Rows(Tokens, Heads * shape.HeadDim);
            using var heads = new StoredHeads(store, Heads);
            heads.Append(0, rows);
            var reference = shape.Reference(Heads);
            reference.Append(rows);
            for (var h = 0; h < Heads; h++)
                for (var tile = 0; tile < Tokens / Tile; tile++)
                {
                    var stride = Tile + 3;
                    var panel = new float[shape.HeadDim * stride + Tile];
                    panel.AsSpan().Fill(Poison);
                    fixed (float* p = panel) store.Unpack(heads[h], tile, p, stride);
                    for (var i = 0; i < panel.Length; i++)
                    {
                        var (d, t) = Math.DivRem(i, stride);
                        var isInside = d < shape.HeadDim && t < Tile;
                        if (panel[i] != (isInside ? reference.Rows[tile * Tile + t][h * shape.HeadDim + d] : Poison))
                            Assert.Fail($"{shape} at {width}: head {h}, token {tile * Tile + t}, channel {d} is {panel[i]:R}, not "
                                + $"{reference.Rows[tile * Tile + t][h * shape.HeadDim + d]:R}");
                    }
                }
            for (var t = 0; t < Tokens; t++) Assert.Equal(reference.Rows[t][shape.HeadDim..], heads.Read(1, t));
            heads.AssertGuards();
        }
    }

    [Theory]
    [MemberData(nameof(StoreShape.AxesAndBits), MemberType = typeof(StoreShape))]
    public void Dot_IsTheSumOverUnpackedKeys_AtEveryWidth(KvAxis axis, int bits)
    {
        foreach (var (shape, width) in Shapes(axis, bits))
        {
            var store = shape.Keys(Tokens, width);
            using var heads = new StoredHeads(store, Heads);
            var appended = StoredHeads.Rows(Tokens, Heads * shape.HeadDim);
            var largest = appended.Max(row => row.Max(Math.Abs));
            heads.Append(0, appended);
            var keys = Enumerable.Range(0, Tokens).Select(t => heads.Read(1, t)).ToArray();
            var before = heads.Bytes;
            for (var rows = 1; rows <= 9; rows++)
            {
                var (tile, tiles) = (rows % 3) switch { 0 => (1, 2), 1 => (0, Tokens / Tile), _ => (3, 1) };
                var queries = StoredHeads.Rows(rows, shape.HeadDim, seed: 7 + rows);
                var stride = tiles * Tile + 5;
                var scores = new float[rows * stride];
                scores.AsSpan().Fill(Poison);
                fixed (float* q = queries.SelectMany(row => row).ToArray(), s = scores)
                    store.Dot(heads[1], tile, tiles, q, rows, s, stride);
                for (var i = 0; i < scores.Length; i++)
                {
                    var (r, t) = Math.DivRem(i, stride);
                    if (t >= tiles * Tile) Assert.Equal(Poison, scores[i]);
                    else if (!IsDot(queries[r], keys[tile * Tile + t], largest, scores[i]))
                        Assert.Fail($"{shape} at {width}: row {r} of {rows}, token {tile * Tile + t}");
                }
            }
            Assert.Equal(before, heads.Bytes);
        }
    }

    private static bool IsDot(float[] query, float[] key, float largest, float score)
    {
        double sum = 0, size = 0;
        for (var d = 0; d < query.Length; d++) (sum, size) = (sum + (double)query[d] * key[d], size + Math.Abs(query[d]));
        return Math.Abs(score - sum) <= DotTolerance * size * largest;
    }

    private static IEnumerable<(StoreShape Shape, SimdLevel Width)> Shapes(KvAxis axis, int bits) =>
        StoreShape.Of(axis, bits).SelectMany(shape => Simd.Supported.Select(width => (shape, width)));
}
