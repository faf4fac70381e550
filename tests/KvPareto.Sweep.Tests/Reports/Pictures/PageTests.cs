using KvPareto.Sweep.Reports.Pictures;

namespace KvPareto.Sweep.Tests.Reports.Pictures;

public class PageTests
{
    private const double Width = 330;

    [Theory]
    [InlineData("quickstart: accuracy against total peak memory")]
    [InlineData("quickstart, at most 3 samples of each task: | accuracy against total peak memory")]
    [InlineData("a-run-whose-name-has-parts-and-no-space: | accuracy against total peak memory")]
    public void TitleLines_BreakBetweenWords(string lines)
    {
        var parts = lines.Split(" | ");
        Assert.Equal(parts, Page.TitleLines(string.Join(' ', parts), Width));
    }

    [Fact]
    public void TitleLines_ThatTwoDoNotHold_AreCut()
    {
        Assert.Equal("…", Assert.Single(Page.TitleLines(new string('w', 200), Width)).Trim('w'));
        Assert.Equal("of tokens", Page.TitleLines(new string('w', 200) + " of tokens", Width)[1]);
        Assert.All(Page.TitleLines(" " + new string('w', 200) + " of tokens", Width), line => Assert.NotEmpty(line));
        var lines = Page.TitleLines(string.Join(' ', Enumerable.Repeat("sample", 40)), Width);
        Assert.Equal(2, lines.Count);
        Assert.DoesNotContain('…', lines[0]);
        Assert.Contains('…', lines[1]);
        Assert.All(lines, line => Assert.InRange(Look.Title.Width(line), Width / 2, Width));
    }
}
