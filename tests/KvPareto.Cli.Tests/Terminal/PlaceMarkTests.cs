using KvPareto.Cli.Terminal;

namespace KvPareto.Cli.Tests.Terminal;

public class PlaceMarkTests
{
    [Theory]
    [InlineData(true, true, "★base")]
    [InlineData(true, false, "★")]
    [InlineData(false, true, "base")]
    [InlineData(false, false, "")]
    public void Of_NamesTheBaseline_OnTheFrontierToo(bool onFrontier, bool isBaseline, string expected) =>
        Assert.Equal(expected, PlaceMark.Of(onFrontier, isBaseline));
}
