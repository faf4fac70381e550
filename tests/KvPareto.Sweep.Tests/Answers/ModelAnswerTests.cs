using KvPareto.Sweep.Answers;
using KvPareto.Sweep.Frontier;

namespace KvPareto.Sweep.Tests.Answers;

public class ModelAnswerTests
{
    /// <summary>Nearest misses: the least memory among those within the loss, the least loss among those within the memory; among all
    /// where none is within either.</summary>
    [Theory]
    [InlineData(true, false, "large", "small")]
    [InlineData(false, false, null, "small")]
    [InlineData(true, true, "large", null)]
    [InlineData(false, true, "small", "large")]
    public void NearestMiss_IsOfThoseWithinTheOtherLimit(bool keepsUp, bool isTooLarge, string? inMemory, string? inLoss)
    {
        var answer = new ModelAnswer("m", null, [Some("small", 10, 8, !isTooLarge, false), Some("large", 20, 1, false, keepsUp)]);
        Assert.Equal((inMemory, inLoss), (answer.NearestInMemory?.Setting, answer.NearestInLoss?.Setting));
    }

    private static Candidate Some(string setting, long bytes, double loss, bool fits, bool keepsUp) =>
        new(setting, new(bytes, 0, null, false, null, 0), 100 - loss, new ScoreInterval(0, 100))
        { Loss = loss, Fits = fits, KeepsUp = keepsUp };
}
