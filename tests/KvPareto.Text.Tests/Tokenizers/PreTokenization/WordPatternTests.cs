using FsCheck;
using FsCheck.Fluent;
using KvPareto.Text.Input;
using KvPareto.Text.Tokenizers.PreTokenization;

namespace KvPareto.Text.Tests.Tokenizers.PreTokenization;

public class WordPatternTests
{
    [Theory]
    [InlineData(WordPattern.Gpt2Regex)]
    [InlineData(WordPattern.Llama3Regex)]
    [InlineData(WordPattern.Qwen2Regex)]
    public void TwinEqualsRegexOnTexts(string regex)
    {
        var (twin, pattern) = (WordPattern.TwinOf(regex)!, new RegexPattern(regex));
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(2000),
            Prop.ForAll(Samples.Texts, text => Matches(twin, text).SequenceEqual(Matches(pattern, text))));
    }

    [Theory]
    [InlineData(WordPattern.Gpt2Regex)]
    [InlineData(WordPattern.Llama3Regex)]
    [InlineData(WordPattern.Qwen2Regex)]
    public void TwinEqualsRegexAroundEveryCharacter(string regex)
    {
        var (twin, pattern) = (WordPattern.TwinOf(regex)!, new RegexPattern(regex));
        foreach (var chunk in Enumerable.Range(0, 0x20000).Where(static c => c is < 0xD800 or > 0xDFFF).Chunk(512))
        {
            var text = string.Concat(chunk.Select(static c => char.ConvertFromUtf32(c) is var s ? $"a{s}{s} {s}1'{s}\n" : ""));
            Assert.Equal(Matches(pattern, text), Matches(twin, text));
        }
    }

    [Theory]
    [InlineData("x'\u017Fy", "x,'\u017F,y")]
    [InlineData("𝒜𝒷 𠀀1", "𝒜𝒷, 𠀀,1")]
    [InlineData("a  \n  b", "a,  \n, , b")]
    [InlineData("12345", "123,45")]
    [InlineData("!!\r\n\n x", "!!\r\n\n, x")]
    public void Llama3SplitsKnownTexts(string text, string pieces) =>
        Assert.Equal(pieces, string.Join(',', Matches(WordPattern.Llama3, text).Select(m => text[m.Start..m.End])));

    private static List<TextMatch> Matches(TextPattern pattern, string text)
    {
        var matches = new List<TextMatch>();
        pattern.FindAll(text, matches, WorkBudget.ForText(text.Length, "test"));
        return matches;
    }
}
