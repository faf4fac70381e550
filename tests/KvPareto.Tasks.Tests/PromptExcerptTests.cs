using System.Text;

namespace KvPareto.Tasks.Tests;

public class PromptExcerptTests
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    [Theory]
    [InlineData(10, 10)]
    [InlineData(299, 299)]
    public void ShortPrompts_AreWhole(int length, int head)
    {
        var excerpt = Of(new string('a', length));
        Assert.Equal((new string('a', head), null), (excerpt.Head, excerpt.Tail));
    }

    [Fact]
    public void LongPrompts_KeepBothEnds()
    {
        var excerpt = Of(new string('a', 1000) + new string('z', 1000));
        Assert.Equal((new string('a', 300), new string('z', 300)), (excerpt.Head, excerpt.Tail));
    }

    /// <summary>An end within a character that takes several tokens loses that character, not the text's form.</summary>
    [Fact]
    public void Ends_NeverHaveHalfACharacter()
    {
        for (var shift = 0; shift < 4; shift++)
        {
            var excerpt = Of(new string('a', shift) + string.Concat(Enumerable.Repeat("😀", 400)));
            // Half of a surrogate pair has no UTF-8.
            Assert.NotEmpty(Strict.GetBytes(excerpt.Head));
            Assert.NotEmpty(Strict.GetBytes(excerpt.Tail!));
            Assert.InRange(excerpt.Head.Length, 100, 300);
        }
    }

    private static PromptExcerpt Of(string text)
    {
        using var folder = new TemporaryFolder();
        var tokenizer = ByteTokenizer.Context(folder, 100).Tokenizer;
        return PromptExcerpt.Of(tokenizer, tokenizer.Encode(text, addSpecialTokens: false));
    }
}
