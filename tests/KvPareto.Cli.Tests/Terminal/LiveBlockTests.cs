using KvPareto.Cli.Terminal;

namespace KvPareto.Cli.Tests.Terminal;

public sealed class LiveBlockTests : IDisposable
{
    private readonly StringWriter _output = new();
    private int _width = 20;

    public void Dispose() => _output.Dispose();

    [Fact]
    public void Draw_GoesBackOverTheRowsThatItsLinesFillNow()
    {
        var block = new LiveBlock(_output, () => _width);
        block.Draw(["0123456789", "abc"]);
        Assert.Equal("0123456789\nabc\n", Taken());
        block.Draw(["0123456789", "abd"]);
        Assert.Equal("\r\e[2A\e[J0123456789\nabd\n", Taken());
        // Ten characters fill three rows of four columns.
        _width = 4;
        block.Draw(["01", "abc"]);
        Assert.Equal("\r\e[4A\e[J01\nabc\n", Taken());
        block.Clear();
        Assert.Equal("\r\e[2A\e[J", Taken());
        block.Clear();
        Assert.Equal("", Taken());
    }

    [Fact]
    public void Draw_WritesNothingWhereNothingIsNew()
    {
        var block = new LiveBlock(_output, () => _width);
        block.Draw(["0123456789"]);
        Taken();
        block.Draw(["0123456789"]);
        Assert.Equal("", Taken());
        _width = 6;
        block.Draw(["0123456789"]);
        Assert.Equal("\r\e[2A\e[J0123…\n", Taken());
    }

    [Fact]
    public void Print_StandsAboveAndStays()
    {
        var block = new LiveBlock(_output, () => _width);
        block.Print("first");
        block.Draw(["live"]);
        block.Print("sec\eond");
        Assert.Equal("first\nlive\n\r\e[1A\e[Jsec ond\nlive\n", Taken());
    }

    private string Taken()
    {
        var text = _output.ToString().Replace("\r\n", "\n", StringComparison.Ordinal);
        _output.GetStringBuilder().Clear();
        return text;
    }
}
