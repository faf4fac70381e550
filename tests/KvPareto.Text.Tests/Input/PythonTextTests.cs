using KvPareto.Text.Input;

namespace KvPareto.Text.Tests.Input;

/// <summary>Expected values are CPython 3.13's.</summary>
public class PythonTextTests
{
    [Theory]
    [InlineData(" a\u001Cb\u0085c\u00A0d\u2028e\u3000f\n", "a|b|c|d|e|f")]
    [InlineData("a\u200Bb\u180Ec\uFEFFd", "a\u200Bb\u180Ec\uFEFFd")]
    [InlineData("   ", "")]
    public void Split_IsPythons(string text, string expected) => Assert.Equal(expected, string.Join('|', PythonText.Split(text)));

    [Theory]
    [InlineData("1,000 and ٣٤x²", "1|000|٣٤")]
    [InlineData("𝟏𝟐3", "𝟏𝟐3")]
    [InlineData("½ Ⅷ 三", "")]
    public void DigitRuns_ArePythons(string text, string expected) => Assert.Equal(expected, string.Join('|', PythonText.DigitRuns(text)));
}
