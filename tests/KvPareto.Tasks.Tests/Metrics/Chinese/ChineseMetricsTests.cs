using KvPareto.Tasks.Metrics;
using KvPareto.Tasks.Metrics.Chinese;

namespace KvPareto.Tasks.Tests.Metrics.Chinese;

public class ChineseMetricsTests
{
    [Theory]
    [InlineData("北京大学，的 学生！", "北京大学学生", 0.8)] // punctuation and blanks are no words
    [InlineData("《我》", "我", 2.0 / 3)] // LongBench's list of punctuation has the closing mark alone
    [InlineData("Ａ AT&T", "ａ,AT&T", 1)] // lower case after segmentation
    [InlineData("AT&T", "at&t", 0)] // which finds AT&T only as the dictionary writes it
    [InlineData("的的我", "的我我", 2.0 / 3)]
    [InlineData("，。", "，。", 0)]
    [InlineData("", "", 0)]
    public void QaF1_IsLongBenchs(string prediction, string answer, double expected) =>
        Assert.Equal(expected, ChineseQaF1.Against(prediction, TinyJieba.Open(), new())(answer), 12);

    [Theory]
    [InlineData("北京大学的学生", "北京大学学生", 0.8)]
    [InlineData("学生，北京大学", "北京大学，学生", 1.0 / 3)] // the comma is a word, and in both
    [InlineData("我.是", "是.我", 1)] // an ASCII full stop ends a sentence
    [InlineData("我是。", "", 0)]
    public void RougeL_IsLongBenchs(string prediction, string answer, double expected) =>
        Assert.Equal(expected, ChineseRougeL.Score(prediction, answer, TinyJieba.Open()), 1e-8);

    [Fact]
    public void RougeL_OverflowsOneStepBeforeTheEnglishOne()
    {
        var segmenter = TinyJieba.Open();
        Assert.Equal(1, Score(RougeL.MaxWalk - 1), 1e-8);
        Assert.Equal(0, Score(RougeL.MaxWalk));

        double Score(int words) => ChineseRougeL.Score(new string('，', words), new string('，', words), segmenter);
    }
}
