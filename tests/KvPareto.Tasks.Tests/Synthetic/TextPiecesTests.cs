using KvPareto.Tasks.Synthetic;

namespace KvPareto.Tasks.Tests.Synthetic;

public class TextPiecesTests
{
    [Theory]
    [InlineData("", 0)]
    [InlineData("The fox.", 3)]
    [InlineData("code 482.", 6)]
    [InlineData("(482)", 5)]
    [InlineData("one\n\nQuestion: two?\nAnswer:", 10)]
    [InlineData("wait ... what", 3)]
    public void Count_CountsWordsDigitsMarksAndBreaks(string text, int expected) => Assert.Equal(expected, TextPieces.Count(text));
}
