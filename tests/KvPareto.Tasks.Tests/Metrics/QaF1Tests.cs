using KvPareto.Tasks.Metrics;

namespace KvPareto.Tasks.Tests.Metrics;

public class QaF1Tests
{
    [Theory]
    [InlineData("The\u200Dcat", "cat", 0)] // the article goes, the joiner stays
    [InlineData("A\u0301 b", "a b", 2.0 / 3)] // a mark is no word character: this "á" loses its letter
    [InlineData("İstanbul", "i\u0307stanbul", 1)]
    [InlineData("ΟΔΟΣ.", "οδος", 1)]
    [InlineData("a\u001Cb c", "b c", 1)]
    [InlineData("it's an_a", "its ana", 1)]
    [InlineData("The the THE", "", 0)]
    [InlineData("x y x", "x x z", 2.0 / 3)]
    [InlineData("", "", 0)]
    public void Score_IsLongBenchs(string prediction, string answer, double expected) =>
        Assert.Equal(expected, QaF1.Against(prediction, new())(answer), 12);
}
