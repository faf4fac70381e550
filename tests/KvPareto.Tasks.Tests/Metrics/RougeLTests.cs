using KvPareto.Tasks.Metrics;

namespace KvPareto.Tasks.Tests.Metrics;

public class RougeLTests
{
    [Theory]
    [InlineData(" .", "x", 0)]
    [InlineData(" . .", " .", 0.999999995)] // a sentence of blanks is one empty word
    [InlineData("a b. c", "a c. b", 0.999999995)]
    [InlineData("b a", "a b", 0.499999995)]
    [InlineData("a b c a", "c a b", 0.6666666616666668)]
    [InlineData("x x x", "x", 0.999999995)]
    [InlineData(".", ".", 0)]
    [InlineData("", "x", 0)]
    public void Score_IsThePackages(string prediction, string answer, double expected) =>
        Assert.Equal(expected, RougeL.Score(prediction, answer), 12);

    [Theory]
    [InlineData(RougeL.MaxWalk, 0.999999995)]
    [InlineData(RougeL.MaxWalk + 1, 0)]
    public void LongSentence_ScoresZeroWhereTheRecursionOverflows(int words, double expected)
    {
        var sentence = Words(words);
        Assert.Equal(expected, RougeL.Score(sentence, sentence), 12);
    }

    [Fact]
    public void LongPrediction_KeepsOnlyTheWalkedCorner()
    {
        // The walk meets the three words at once and ends there; from the other end it would take 5,000 steps.
        const double precision = 3.0 / 5003;
        Assert.Equal(2 * precision / (precision + 1 + 1e-8), RougeL.Score(Words(5000) + " a b c", "a b c"), 15);
        Assert.Equal(0, RougeL.Score("a b c " + Words(5000), "a b c"));
    }

    private static string Words(int count) => string.Join(' ', Enumerable.Range(0, count).Select(i => $"w{i}"));
}
