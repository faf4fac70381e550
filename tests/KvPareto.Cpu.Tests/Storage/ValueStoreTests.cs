using KvPareto.Cpu.Kernels;
using KvPareto.Engine.Cache;

namespace KvPareto.Cpu.Tests.Storage;

public sealed unsafe class ValueStoreTests
{
    private const int Heads = 2;
    private const int Tile = 16;
    private const int Tokens = 4 * Tile;
    private const int Guard = 32;
    private const float Poison = -7777.25f;
    private const double SumTolerance = 1e-5; // of what was there, Σ|w| and the largest |v| appended

    [Theory]
    [MemberData(nameof(StoreShape.AxesAndBits), MemberType = typeof(StoreShape))]
    public void Unpack_IsTheScalarCodec_AtEveryWidth(KvAxis axis, int bits)
    {
        foreach (var (shape, width) in Shapes(axis, bits))
        {
            var store = shape.Values(Tokens, width);
            var rows = StoredHeads.Rows(Tokens, Heads * shape.HeadDim);
            using var heads = new StoredHeads(store, Heads);
            heads.Append(0, rows);
            var reference = shape.Reference(Heads);
            reference.Append(rows);
            for (var h = 0; h < Heads; h++)
                for (var tile = 0; tile < Tokens / Tile; tile++)
                {
                    var stride = shape.HeadDim + 3;
                    var output = new float[Tile * stride + Guard];
                    output.AsSpan().Fill(Poison);
                    fixed (float* p = output) store.Unpack(heads[h], tile, p, stride);
                    for (var i = 0; i < output.Length; i++)
                    {
                        var (t, d) = Math.DivRem(i, stride);
                        var isInside = t < Tile && d < shape.HeadDim;
                        if (output[i] != (isInside ? reference.Rows[tile * Tile + t][h * shape.HeadDim + d] : Poison))
                            Assert.Fail($"{shape} at {width}: head {h}, token {tile * Tile + t}, channel {d} is {output[i]:R}, not "
                                + $"{reference.Rows[tile * Tile + t][h * shape.HeadDim + d]:R}");
                    }
                }
            for (var t = 0; t < Tokens; t++) Assert.Equal(reference.Rows[t][shape.HeadDim..], heads.Read(1, t));
            heads.AssertGuards();
        }
    }

    [Theory]
    [MemberData(nameof(StoreShape.AxesAndBits), MemberType = typeof(StoreShape))]
    public void Accumulate_IsTheSumOverUnpackedValues_AtEveryWidth(KvAxis axis, int bits)
    {
        foreach (var (shape, width) in Shapes(axis, bits))
        {
            var store = shape.Values(Tokens, width);
            using var heads = new StoredHeads(store, Heads);
            var appended = StoredHeads.Rows(Tokens, Heads * shape.HeadDim);
            var largest = appended.Max(row => row.Max(Math.Abs));
            heads.Append(0, appended);
            var values = Enumerable.Range(0, Tokens).Select(t => heads.Read(1, t)).ToArray();
            var before = heads.Bytes;
            for (var rows = 1; rows <= 9; rows++)
            {
                var (tile, tiles) = (rows % 3) switch { 0 => (1, 2), 1 => (0, Tokens / Tile), _ => (3, 1) };
                var (stride, d) = (tiles * Tile + 5, shape.HeadDim);
                var weights = Weights(rows, stride, seed: rows);
                var start = StoredHeads.Rows(1, rows * d, seed: rows)[0];
                float[] output = [.. start, .. Enumerable.Repeat(Poison, Guard)];
                var scratch = new float[rows * tiles * Tile * Math.Max(1, d / 8) + Guard];
                scratch.AsSpan().Fill(Poison);
                fixed (float* w = weights, o = output, s = scratch) store.Accumulate(heads[1], tile, tiles, w, stride, rows, o, s);
                var used = values.AsSpan(tile * Tile, tiles * Tile);
                for (var i = 0; i < start.Length; i++)
                {
                    var (r, c) = Math.DivRem(i, d);
                    if (!IsSum(start[i], weights.AsSpan(r * stride, tiles * Tile), used, c, largest, output[i]))
                        Assert.Fail($"{shape} at {width}: row {r} of {rows}, channel {c}");
                }
                Assert.False(output.AsSpan(start.Length).ContainsAnyExcept(Poison), "wrote behind the output");
                Assert.False(scratch.AsSpan(scratch.Length - Guard).ContainsAnyExcept(Poison), "wrote behind the scratch");
            }
            Assert.Equal(before, heads.Bytes);
        }
    }

    private static bool IsSum(
        float start, ReadOnlySpan<float> weights, ReadOnlySpan<float[]> values, int channel, float largest, float result)
    {
        double sum = start, size = 0;
        for (var t = 0; t < weights.Length; t++) (sum, size) = (sum + (double)weights[t] * values[t][channel], size + weights[t]);
        return Math.Abs(result - sum) <= SumTolerance * (Math.Abs(start) + size * largest);
    }

    // As softmax leaves them: none below zero, some zero.
    private static float[] Weights(int rows, int stride, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, rows * stride).Select(_ => random.Next(5) == 0 ? 0 : random.NextSingle())];
    }

    private static IEnumerable<(StoreShape Shape, SimdLevel Width)> Shapes(KvAxis axis, int bits) =>
        StoreShape.Of(axis, bits).SelectMany(shape => Simd.Supported.Select(width => (shape, width)));
}
