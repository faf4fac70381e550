namespace KvPareto.Engine.Tests;

public class SplitMix64Tests
{
    [Fact]
    public void Next_MatchesTheReferenceImplementation()
    {
        var random = new SplitMix64(1234567);
        Assert.Equal([6457827717110365317UL, 3203168211198807973UL, 9817491932198370423UL], [random.Next(), random.Next(), random.Next()]);
    }

    [Fact]
    public void Hash_IsFnv1a() => Assert.Equal(0x85944171F73967E8UL, SplitMix64.Hash("foobar"));

    [Fact]
    public void Below_StaysBelowTheLimitAndReachesAll()
    {
        var random = new SplitMix64(1);
        var counts = new int[7];
        for (var i = 0; i < 7000; i++) counts[random.Below(7)]++;
        Assert.All(counts, count => Assert.InRange(count, 850, 1150));
    }
}
