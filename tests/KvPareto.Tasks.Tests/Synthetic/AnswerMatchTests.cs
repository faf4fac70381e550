using KvPareto.Tasks.Synthetic;

namespace KvPareto.Tasks.Tests.Synthetic;

public class AnswerMatchTests
{
    [Theory]
    [InlineData(" cellar", "cellar")]
    [InlineData("The fox sleeps in the cellar.", "cellar")]
    [InlineData("\n\n  Cellar!\nQuestion: and then?", "cellar")]
    [InlineData(" 4", "4")]
    [InlineData("It was 482.", "482")]
    public void Right(string prediction, string answer) => Assert.True(AnswerMatch.IsRight(prediction, answer));

    [Theory]
    [InlineData("", "cellar")]
    [InlineData("   \n ", "cellar")]
    [InlineData("attic", "cellar")]
    [InlineData("the saltcellar", "cellar")]
    [InlineData("cellar or attic", "cellar")]
    [InlineData("attic\ncellar", "cellar")]
    [InlineData("14", "4")]
    [InlineData("4 8 2", "482")]
    [InlineData("anything", "")]
    public void Wrong(string prediction, string answer) => Assert.False(AnswerMatch.IsRight(prediction, answer));
}
