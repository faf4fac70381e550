using KvPareto.Text.Input;

namespace KvPareto.Text.Tests.Input;

public class NearestTests
{
    [Theory]
    [InlineData("granularty", "; did you mean 'granularity'?")]
    [InlineData("key-granularity", "; did you mean 'key_granularity'?")]
    [InlineData("Seed", "; did you mean 'seed'?")]
    [InlineData("model", "; did you mean 'models'?")]
    [InlineData("sed", "; did you mean 'seed'?")]
    [InlineData("colour", "")]
    [InlineData("x", "")]
    [InlineData("", "")]
    public void Question_NamesTheNearestWord(string text, string expected) =>
        Assert.Equal(expected, Nearest.Question(text, "seed", "models", "granularity", "key_granularity"));

    [Fact]
    public void Question_LeavesOutLongTexts() => Assert.Empty(Nearest.Question(new string('a', 65), new string('a', 64)));
}
