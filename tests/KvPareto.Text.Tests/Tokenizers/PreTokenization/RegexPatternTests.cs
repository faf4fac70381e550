using System.Globalization;
using KvPareto.Text.Input;
using KvPareto.Text.Tokenizers.PreTokenization;

namespace KvPareto.Text.Tests.Tokenizers.PreTokenization;

public class RegexPatternTests
{
    [Theory]
    [InlineData(@"\p{L}+", "a𝒜b1", "a𝒜b")]
    [InlineData(@".", "𠀀\nx", "𠀀,x")]
    [InlineData(@"\p{L}++a", "bba", "")]
    [InlineData(@"(?i:k)", "kK\u212A", "k,K,\u212A")]
    [InlineData(@"(?i:[j-l])", "K\u212A", "K,\u212A")]
    [InlineData(@"(?i)s(?-i)s", "Ss SS \u017Fs", "Ss,\u017Fs")]
    [InlineData(@"^a|b$", "a\nab\nb", "a,a,b,b")]
    [InlineData(@"(?m:a.b)", "a\nb", "a\nb")]
    [InlineData(@"\w+", "a\u0301Ⅷ_-🄰", "a\u0301Ⅷ_,🄰")]
    [InlineData(@"\w+", "½a²⅓ ¹", "½a²,¹")]
    [InlineData(@"[\w]+", "½a²⅓ ¹", "a")]
    [InlineData(@"\W", "½a- ¹", "-, ")]
    [InlineData(@"\bx+\b", "x xx\u200Dx ½x x²Ⅷx\u0301 x", "x,xx,x,x")]
    [InlineData(@"\Bx\B", "axa x²x½ x", "x,x")]
    [InlineData(@"\h+", "face-x9", "face,9")]
    [InlineData(@"[\p{L}&&[^a-z]]", "aBc𝒜", "B,𝒜")]
    [InlineData(@"a{2}|b{,2}c|d{1,}", "aabbcddd", "aa,bbc,ddd")]
    [InlineData(@"[]a]+", "a]", "a]")]
    [InlineData(@"\x41|\x{e9}|\u00E8", "Aéè", "A,é,è")]
    [InlineData(@"a+?b*?c", "aabbc", "aabbc")]
    [InlineData(@"(?>a+)b(?=c)(?!d)", "aabc", "aab")]
    [InlineData(@"# x", "# x", "# x")]
    [InlineData("[一-龥ࠀ-一가-퟿]+", "日本😀語𝟘각👍🏽𠀀한𝅘𝅥", "日本,語,각,한")]
    [InlineData("[a-c𐐀-𐑏]+", "a𐐀b𝒜𐑏ꞑ", "a𐐀b,𐑏")]
    [InlineData(@"[^𐐀-𐑏]|\p{Lu}", "𐐀𝒜", "𐐀,𝒜")]
    public void MatchesAsOniguruma(string pattern, string text, string expected)
    {
        var matches = new List<TextMatch>();
        new RegexPattern(pattern).FindAll(text, matches, WorkBudget.ForText(text.Length, "test"));
        Assert.Equal(expected, string.Join(',', matches.Select(m => text[m.Start..m.End])));
    }

    [Theory]
    [InlineData(@"\p{Han}")]
    [InlineData(@"[[:alpha:]]")]
    [InlineData(@"[a[bc]]")]
    [InlineData(@"(?<name>a)")]
    [InlineData(@"\k<name>")]
    [InlineData(@"[a&&b]")]
    [InlineData("𝒜")]
    [InlineData("[a-𝒜]")]
    [InlineData("[👨]")]
    [InlineData("[𐐀-𐑏]|[𑢠-𑣟]")]
    [InlineData(@"(a")]
    [InlineData(@"a)")]
    [InlineData(@"[a")]
    [InlineData(@"\")]
    [InlineData(@"*")]
    [InlineData(@"a{1000000000}")]
    [InlineData("[z-a]")]
    public void RefusesWhatItDoesNotKnow(string pattern)
    {
        var problem = Assert.Throws<FormatException>(() => new RegexPattern(pattern));
        Assert.DoesNotContain('\n', problem.Message);
    }

    /// <summary>What a pattern repeats of itself, and how long it is, is bounded: the engine beneath recurses.</summary>
    [Theory]
    [InlineData("a", "?", 20_000)]
    [InlineData("a", "+", 20_000)]
    [InlineData("", "(?:a?){2}", 20_000)]
    [InlineData("[", "\\w", 4000)]
    [InlineData("", "(", 20_000)]
    public void RefusesWhatGoesOnForEver(string first, string part, int count) =>
        Assert.Throws<FormatException>(() => new RegexPattern(first + string.Concat(Enumerable.Repeat(part, count))));

    /// <summary>Every start of a match is exponential in itself: the text as a whole has a limit, not each.</summary>
    [Fact]
    public void AllMatchesOfATextHaveOneLimit()
    {
        var text = string.Concat(Enumerable.Repeat(new string('a', 36) + "c", 40));
        var budget = WorkBudget.ForText(text.Length, "tokenizer.json");
        // Most of it is gone already, as after other patterns.
        budget.SpendMatching(ProcessorTime.OfThread() - 0.9 * budget.MatchingLeft, "a");
        var problem = Assert.Throws<ConfigException>(() => new RegexPattern("(?:a|aa)+b|a").FindAll(text, [], budget));
        Assert.Equal("tokenizer.json: this tokenizer needs too long to match its pattern '(?:a|aa)+b|a' for one text", problem.Message);
    }

    /// <summary>The limit is processor time: on a machine that gives a thread little of it, honest texts are not refused.</summary>
    [Fact]
    public void TimeThatOthersHaveIsNotCounted()
    {
        var budget = WorkBudget.ForText(1, "tokenizer.json");
        var (before, start) = (budget.MatchingLeft, ProcessorTime.OfThread());
        Thread.Sleep(200);
        budget.SpendMatching(start, "a");
        Assert.InRange(before - budget.MatchingLeft, TimeSpan.Zero, TimeSpan.FromMilliseconds(150));
    }

    [Fact]
    public void RefusesDeepNesting() => Assert.Throws<FormatException>(static () => new RegexPattern(new string('(', 100_000)));

    [Fact]
    public void StandInsHaveTheirCategory()
    {
        foreach (var (category, standIn) in AstralStandIn.ByCategory) Assert.Equal(category, char.GetUnicodeCategory(standIn));
        Assert.Equal(UnicodeCategory.OtherSymbol, char.GetUnicodeCategory(AstralStandIn.Of(0x1F130)));
    }

    [Fact]
    public void WhiteSpaceIsUnicodes()
    {
        var matches = new List<TextMatch>();
        var text = string.Concat(Enumerable.Range(0, 0xD800).Concat(Enumerable.Range(0xE000, 0x2000)).Select(static c => (char)c));
        new RegexPattern(@"\s").FindAll(text, matches, WorkBudget.ForText(text.Length, "test"));
        int[] expected = [9, 10, 11, 12, 13, 0x20, 0x85, 0xA0, 0x1680, .. Enumerable.Range(0x2000, 11), 0x2028, 0x2029, 0x202F, 0x205F,
            0x3000];
        Assert.Equal(expected, matches.Select(m => (int)text[m.Start]));
    }
}
