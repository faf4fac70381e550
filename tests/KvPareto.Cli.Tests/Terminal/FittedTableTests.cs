using KvPareto.Cli.Terminal;
using Spectre.Console;

namespace KvPareto.Cli.Tests.Terminal;

public class FittedTableTests
{
    private const string Setting = "w4g64a16-k4v4-t64-smooth-c256";

    private static readonly FittedTable<string> Table = new(
        [
            new("", 0, _ => "★") { IsText = true },
            new("setting", 0, row => row) { IsText = true },
            new("peak", 1, _ => "5.49 MiB"),
            new("score", 2, _ => "100.00"),
            new("later", 3, _ => "15.83 ms"),
        ],
        "results.csv has them");

    [Theory]
    [InlineData(null, "")]
    [InlineData(200, "")]
    [InlineData(74, "")]
    [InlineData(65, "left out at 65 columns: later; results.csv has them")]
    [InlineData(55, "left out at 55 columns: score, later; results.csv has them")]
    [InlineData(45, "left out at 45 columns: peak, score, later; results.csv has them")]
    [InlineData(20, "left out at 20 columns: peak, score, later; results.csv has them")]
    public void Write_LeavesColumnsOutAndNamesThem(int? width, string expected)
    {
        var lines = Lines(width, [Setting, "w16a16-k16v16"]);
        Assert.Equal(expected, string.Join(' ', lines.SkipWhile(line => !line.StartsWith("left", StringComparison.Ordinal))));
        Assert.Contains(lines, line => line.Contains($"★   {Setting}", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.Contains("★   w16a16-k16v16", StringComparison.Ordinal));
    }

    [Fact]
    public void Write_IsNeverWiderThanTheTerminal()
    {
        for (var width = 45; width <= 200; width++) Assert.All(Lines(width, [Setting]), line => Assert.InRange(line.Length, 0, width));
    }

    [Fact]
    public void Write_TakesNoOrders()
    {
        var line = Assert.Single(Lines(80, ["\e[31mRED\a\u202E\n[bold]x"]), line => line.Contains("RED", StringComparison.Ordinal));
        Assert.Contains(" [31mRED   [bold]x", line, StringComparison.Ordinal);
        Assert.DoesNotContain('\e', line);
    }

    private static string[] Lines(int? width, string[] rows)
    {
        using var output = new StringWriter();
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(output), Ansi = AnsiSupport.No });
        Table.Write(console, width, rows);
        return [.. output.ToString().ReplaceLineEndings("\n").TrimEnd().Split('\n').Select(line => line.TrimEnd())];
    }
}
