using KvPareto.Text.Input;

namespace KvPareto.Text.Tests.Input;

/// <summary>Expected values are CPython 3.13's; those of whole scripts are in <c>jinja-python.json</c>.</summary>
public class PythonCaseTests
{
    [Theory]
    [InlineData("İX", "i\u0307x")]
    [InlineData("ΟΔΟΣ", "οδος")]
    [InlineData("ΟΔΟΣ.", "οδος.")]
    [InlineData("ΟΔΟΣ'Α", "οδοσ'α")]
    [InlineData("Σ", "σ")]
    [InlineData("1Σ", "1σ")]
    [InlineData("ⅧΣ", "ⅷς")]
    [InlineData("STRASSE ß ẞ", "strasse ß ß")]
    [InlineData("𐐀Ა", "𐐨ა")]
    public void Lower_IsPythons(string text, string expected) => Assert.Equal(expected, PythonCase.Lower(text));

    [Theory]
    [InlineData("ıſß ﬁ", "ISSS FI")]
    [InlineData("\u1FB3\u0390\u0345", "\u0391\u0399\u0399\u0308\u0301\u0399")]
    public void Upper_HasFullMappings(string text, string expected) => Assert.Equal(expected, PythonCase.Upper(text));

    [Theory]
    [InlineData("they're ΟΔΟΣ ǆ ﬁx ßa", "They'Re Οδος ǅ Fix Ssa")]
    [InlineData("აბ x\u0345y", "აბ X\u0345y")]
    public void Title_BeginsAfterWhatIsNotCased(string text, string expected) => Assert.Equal(expected, PythonCase.Title(text));

    [Theory]
    [InlineData("Ab ǅ", true)]
    [InlineData("AB", false)]
    [InlineData("1 2", false)]
    [InlineData("Ⅰⅰ ªb", false)]
    [InlineData("Ⅰⅰ Ⓐb", true)]
    public void IsTitle_IsPythons(string text, bool expected) => Assert.Equal(expected, PythonCase.IsTitle(text));

    [Theory]
    [InlineData("İıẞς Ꭰꭰ µ", "i\u0307ıssσ ᎠᎠ μ")]
    public void Fold_IsPythons(string text, string expected) => Assert.Equal(expected, PythonCase.Fold(text));

    [Fact]
    public void Swap_IsPythons() => Assert.Equal("sSaΣσⅰⒶΙ", PythonCase.Swap("SsAσΣⅠⓐ\u0345"));

    [Theory]
    [InlineData("AΒ 1𐐀ⅠⒶ🄰", true, false)]
    [InlineData("aβ 1𐐨ⅰⓐªʰ", false, true)]
    [InlineData("aB", false, false)]
    [InlineData("Aǅ", false, false)]
    [InlineData("1 日", false, false)]
    public void IsUpperAndIsLower_ArePythons(string text, bool isUpper, bool isLower) =>
        Assert.Equal((isUpper, isLower), (PythonCase.IsUpper(text), PythonCase.IsLower(text)));
}
