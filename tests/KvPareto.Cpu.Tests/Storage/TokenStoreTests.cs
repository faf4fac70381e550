using KvPareto.Cpu.Kernels;
using KvPareto.Cpu.Storage;
using KvPareto.Engine.Cache;

namespace KvPareto.Cpu.Tests.Storage;

public sealed unsafe class TokenStoreTests
{
    private const int Heads = 2;
    private const int Capacity = 96;

    // An append makes the scale of tensor: there the bytes do depend on how tokens come.
    public static IEnumerable<(KvAxis, int)> AllButTensor => StoreShape.AxesAndBits().Where(data => data.Axis != KvAxis.Tensor);

    // Kernels of f16 elements expect finite ones.
    public static IEnumerable<(KvAxis, int)> AllButHalf => StoreShape.AxesAndBits().Where(data => data.Bits != 16);

    [Theory]
    [MemberData(nameof(AllButTensor))]
    public void Append_GivesTheSameBytes_HoweverTokensCome(KvAxis axis, int bits)
    {
        foreach (var shape in StoreShape.Of(axis, bits))
            foreach (var store in (TokenStore[])[shape.Keys(Capacity), shape.Values(Capacity)])
            {
                var rows = StoredHeads.Rows(Capacity, Heads * shape.HeadDim);
                var whole = Stored(store, rows, [32, 64]);
                Assert.Equal(whole, Stored(store, rows, [32, .. Enumerable.Repeat(shape.Granule, 64 / shape.Granule)]));
                if (shape.Granule == 1) Assert.Equal(whole, Stored(store, rows, [32, 1, 2, 17, 15, 16, 3, 10]));
                if (axis != KvAxis.PowerOfTwo) Assert.Equal(whole, Stored(store, rows, [Capacity]));
            }
    }

    [Theory]
    [MemberData(nameof(StoreShape.AxesAndBits), MemberType = typeof(StoreShape))]
    public void Read_IsTheScalarCodec_OfChunksThatAreClipped(KvAxis axis, int bits)
    {
        foreach (var shape in StoreShape.Of(axis, bits).Select(shape => shape with { ClipPercent = 77 }))
            foreach (var store in (TokenStore[])[shape.Keys(Capacity), shape.Values(Capacity)])
            {
                using var heads = new StoredHeads(store, Heads);
                var reference = shape.Reference(Heads);
                var rows = StoredHeads.Rows(Capacity, Heads * shape.HeadDim);
                for (var (start, count) = (0, 0); start < Capacity; start += count)
                {
                    count = Math.Min(Math.Max(shape.Granule, start == 0 ? 32 : start / 4), Capacity - start) / shape.Granule
                        * shape.Granule;
                    heads.Append(start, rows[start..(start + count)]);
                    reference.Append(rows[start..(start + count)].Select(row => (float[])row.Clone()).ToArray());
                }
                for (var t = 0; t < Capacity; t++)
                    for (var h = 0; h < Heads; h++)
                        Assert.Equal(reference.Rows[t].AsSpan(h * shape.HeadDim, shape.HeadDim).ToArray(), heads.Read(h, t));
                heads.AssertGuards();
            }
    }

    // There z·s is rounded before it is added (code·s + offset), in the codec q − z is exact: two roundings against one.
    [Theory]
    [InlineData(KvAxis.Token, 2)]
    [InlineData(KvAxis.Token, 4)]
    [InlineData(KvAxis.Token, 8)]
    [InlineData(KvAxis.Channel, 4)]
    [InlineData(KvAxis.Channel, 8)]
    [InlineData(KvAxis.Block, 2)]
    [InlineData(KvAxis.Tensor, 8)]
    [InlineData(KvAxis.PowerOfTwo, 8)]
    public void Read_IsWithinTwoRoundings_FarFromZero(KvAxis axis, int bits)
    {
        const double Tolerance = 1.2e-7; // 2^-23
        var random = new Random(3);
        foreach (var shape in StoreShape.Of(axis, bits))
            foreach (var width in Simd.Supported)
                foreach (var store in (TokenStore[])[shape.Keys(Capacity, width), shape.Values(Capacity, width)])
                {
                    var rows = Enumerable.Range(0, Capacity)
                        .Select(_ => Enumerable.Range(0, shape.HeadDim).Select(_ => -100 - random.NextSingle() * 0.01f).ToArray())
                        .ToArray();
                    using var heads = new StoredHeads(store, 1);
                    heads.Append(0, rows);
                    var reference = shape.Reference(1);
                    reference.Append(rows);
                    for (var t = 0; t < Capacity; t++)
                        foreach (var (expected, actual) in reference.Rows[t].Zip(heads.Read(0, t)))
                            if (Math.Abs(actual - (double)expected) > Tolerance * Math.Abs(expected))
                                Assert.Fail($"{shape} at {width}: {actual:R}, not {expected:R}");
                }
    }

    [Theory]
    [MemberData(nameof(AllButHalf))]
    public void Read_IsNaN_WhereATokenWas(KvAxis axis, int bits)
    {
        var shape = StoreShape.Of(axis, bits).Last();
        var rows = StoredHeads.Rows(Capacity, shape.HeadDim);
        rows[17][5] = float.NaN;
        foreach (var width in Simd.Supported)
            foreach (var store in (TokenStore[])[shape.Keys(Capacity, width), shape.Values(Capacity, width)])
            {
                using var heads = new StoredHeads(store, 1);
                heads.Append(0, rows);
                Assert.True(float.IsNaN(heads.Read(0, 17)[5]), $"{shape} at {width}");
            }
    }

    private static byte[] Stored(TokenStore store, float[][] rows, int[] chunks)
    {
        using var heads = new StoredHeads(store, Heads);
        var start = 0;
        foreach (var count in chunks)
        {
            heads.Append(start, rows[start..(start + count)]);
            start += count;
        }
        Assert.Equal(Capacity, start);
        heads.AssertGuards();
        return heads.Bytes;
    }
}
