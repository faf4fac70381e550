
namespace KvPareto.Tasks.Tests;

public class SampleRandomTests
{
    [Fact]
    public void Next_IsTheSnapshot()
    {
        var random = new SampleRandom(1, 2, 3, 4);
        Assert.Equal([10801866045805221175UL, 7509188065202932982UL, 3385433287856887677UL], [random.Next(), random.Next(), random.Next()]);
    }

    [Fact]
    public void Below_IsUniform()
    {
        var random = new SampleRandom(0, 0, 0, 1);
        var counts = new int[7];
        for (var i = 0; i < 70_000; i++) counts[random.Below(7)]++;

        // Seven standard deviations of a binomial count.
        Assert.All(counts, count => Assert.InRange(count, 10_000 - 650, 10_000 + 650));
    }

    [Fact]
    public void Reset_GivesEachOfTheFourValuesItsOwnStream()
    {
        var first = new HashSet<ulong>();
        for (ulong value = 1; value < 100; value++)
        {
            first.Add(new SampleRandom(value, 0, 0, 0).Next());
            first.Add(new SampleRandom(0, value, 0, 0).Next());
            first.Add(new SampleRandom(0, 0, value, 0).Next());
            first.Add(new SampleRandom(0, 0, 0, value).Next());
        }
        Assert.Equal(4 * 99, first.Count);
    }

    [Fact]
    public void Deal_IsAShuffleOfTheDeck()
    {
        var (deck, hand) = (Enumerable.Range(0, 50).ToArray(), new int[50]);
        new SampleRandom(9, 9, 9, 9).Deal(deck, hand);
        Assert.NotEqual(deck, hand);
        Assert.Equal(deck, hand.Order());
    }
}
