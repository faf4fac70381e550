using KvPareto.Cli.Terminal;

namespace KvPareto.Cli.Tests.Terminal;

public class TerminalWriterTests
{
    [Theory]
    [InlineData("plain\ttext\nof lines", "plain\ttext\nof lines")]
    [InlineData("\e[31mred\e]0;title\a", "\uFFFD[31mred\uFFFD]0;title\uFFFD")]
    [InlineData("a\r\nb\rc\b\u009B2J\u007F\0", "a\nb\uFFFDc\uFFFD\uFFFD2J\uFFFD\uFFFD")]
    [InlineData("é 漢 😀 \u200F", "é 漢 😀 \u200F")]
    public void Write_PassesOnWhatSteersNoTerminal(string text, string expected)
    {
        using var inner = new StringWriter();
        using var writer = new TerminalWriter(inner);
        writer.Write(text);
        writer.Write(text.AsSpan(0, 1));
        writer.Write(text[0]);
        writer.WriteLine();
        Assert.Equal($"{expected}{expected[0]}{expected[0]}\n", inner.ToString());
    }

    [Theory]
    [InlineData("a\tb\r\nc\e[2J\u0085\u2028", "a b  c [2J  ")]
    [InlineData("user\u202Egnp\u2066", "user gnp ")]
    [InlineData("as it is", "as it is")]
    public void OneLine_HasNeitherOrdersNorLineEnds(string text, string expected) => Assert.Equal(expected, TerminalText.OneLine(text));
}
