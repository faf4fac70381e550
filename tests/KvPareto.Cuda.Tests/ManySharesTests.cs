namespace KvPareto.Cuda.Tests;

/// <summary>How steps of tiles are shared out among clusters.</summary>
public sealed class ManySharesTests
{
    private static readonly ManyKernel Codes = new(4, 128, 256); // 128 columns a step

    [Theory]
    [InlineData(16, 4096, 66, 80, false, 64, 4)]   // o of Llama-3.1-8B: four clusters a tile
    [InlineData(8, 11_008, 66, 80, false, 64, 8)]  // down of Qwen2.5-3B: eight, the most
    [InlineData(24, 4096, 66, 80, false, 66, 0)]   // q, k, v of Llama-3.1-8B: two a tile would leave 18 clusters idle
    [InlineData(24, 4096, 66, 80, true, 48, 2)]    // and do where a norm comes next
    [InlineData(112, 4096, 66, 80, false, 66, 0)]  // gate and up: more tiles than clusters
    [InlineData(112, 4096, 66, 20, false, 66, 0)]  // no room for parts: whole tiles
    [InlineData(3, 512, 66, 80, false, 3, 0)]      // no columns to share
    [InlineData(5000, 4096, 144, 80, false, 80, 0)] // no more clusters than there are places for
    public void Shares_AreAllStepsInOrder(int tiles, int columns, int device, int parts, bool keepsEqual, int clusters, int each)
    {
        var shares = ManyShares.Of(Codes, tiles, columns, device, parts, keepsEqual);
        Assert.Equal((clusters, each), (shares.Clusters, shares.Each));
        var begins = shares.Begins();
        Assert.Equal((new ManyBegin(0, 0), new ManyBegin(tiles, 0)), (begins[0], begins[clusters]));
        long most = 0, steps = shares.Steps;
        for (var i = 0; i < clusters; i++)
        {
            Assert.InRange(begins[i].Step, 0, steps - 1);
            var share = (begins[i + 1].Tile - begins[i].Tile) * steps + begins[i + 1].Step - begins[i].Step;
            Assert.InRange(share, 1, long.MaxValue);
            most = Math.Max(most, share);
            if (parts < clusters - 1) Assert.Equal(0, begins[i].Step);
            if (each > 1) Assert.Equal(i / each, begins[i].Tile);
        }
        if (parts >= clusters && each == 0 && tiles > 3) Assert.InRange(most, 1, tiles * steps / clusters + 3); // of an end, two steps
    }

    [Fact]
    public void EvenShares_CountATilesEnd()
    {
        // Three tiles of 32 steps, each with an end as long as two: the first of two clusters has one end, the second two.
        Assert.Equal(new ManyBegin(1, 17), new ManyShares(3, 32, 2, 0, 2).Begin(1));
        Assert.Equal(new ManyBegin(1, 0), new ManyShares(2, 32, 2, 0, 2).Begin(1));
        // A share that would begin within an end begins with the next tile.
        Assert.Equal(new ManyBegin(1, 0), new ManyShares(3, 4, 4, 0, 4).Begin(1));
    }
}
