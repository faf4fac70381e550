using KvPareto.Tasks.Metrics;

namespace KvPareto.Tasks.Tests.Metrics;

public class AnswerMatchTests
{
    [Theory]
    [InlineData("Order, rank", "Order, rank", "Order|Order, rank|rank|ran", 0.5)] // "rank" follows a removed name and stays
    [InlineData("ran rank Order", "rank", "ran|Order|rank", 0.5)]
    [InlineData("Food", "Foo", "Foo|Food", 0.5)]
    [InlineData("food", "Food", "Food", 0)]
    [InlineData("a", "a", "|a", 1)]
    public void ClassMatch_IsLongBenchs(string prediction, string answer, string classes, double expected) =>
        Assert.Equal(expected, ClassMatch.Score(prediction, answer, classes.Split('|')));

    [Theory]
    [InlineData("3, 4 and 3", "3", 2.0 / 3)]
    [InlineData("three", "3", 0)]
    [InlineData("03", "3", 0)]
    [InlineData("٣", "3", 0)]
    public void NumberMatch_ComparesDigitsAsWritten(string prediction, string number, double expected) =>
        Assert.Equal(expected, NumberMatch.Against(prediction, new())(number), 12);

    [Theory]
    [InlineData("Paragraph 12", "12")]
    [InlineData("Paragraph Paragraph x Paragraph 3a", "3")]
    [InlineData("paragraph 3", null)]
    [InlineData("Paragraph", null)]
    public void NumberAfter_FindsTheFirstWithDigits(string answer, string? expected) =>
        Assert.Equal(expected, NumberMatch.NumberAfter(answer, "Paragraph "));

    [Theory]
    [InlineData("abcd", "bcde", 0.75)]
    [InlineData("# c\n//x\n y", "y", 0.67)]
    [InlineData("\n\nab\ncd", "ab", 1)]
    [InlineData("`\n#", "", 1)]
    [InlineData("`", "a", 0)]
    [InlineData("😀b", "😀c", 0.5)] // over code points; over UTF-16 units it would be 0.67
    [InlineData("x", "xabcdefghijklmn", 0.12)] // 12.5 rounds to even
    [InlineData("int x=1;", "int y = 12;", 0.74)]
    public void CodeSimilarity_IsFuzzywuzzys(string prediction, string answer, double expected) =>
        Assert.Equal(expected, CodeSimilarity.Score(prediction, answer), 12);
}
