using System.Text.Json;
using KvPareto.Testing;

namespace KvPareto.Cli.Tests.Commands;

public class BenchCommandTests
{
    private const string Model = "embedded:llama";
    private static readonly string[] Quick = ["-r", "2", "--no-floors", "--threads", "1"];

    [Fact]
    public void Rows_AreAllCombinations()
    {
        var rows = Rows("-p", "0,32-64*2", "-n", "2", "-d", "0,16", "--chunk", "16,0");
        Assert.Equal(
            from setting in new[] { "w16a16-k16v16-c16", "w16a16-k16v16" }
            from lengths in new[] { (0, 32), (0, 64), (16, 0), (16, 32), (16, 64) }
            select (setting, lengths.Item1, lengths.Item2),
            rows.Select(row =>
                (row.GetProperty("setting").GetString()!, row.GetProperty("depth").GetInt32(), row.GetProperty("prompt").GetInt32())));
        foreach (var row in rows)
        {
            Assert.Equal(row.GetProperty("prompt").GetInt32() == 0, row.GetProperty("ttftMs").ValueKind == JsonValueKind.Null);
            Assert.True(row.GetProperty("tpotMs").GetProperty("median").GetDouble() > 0);
            Assert.True(row.GetProperty("tpotMs").GetProperty("deviation").GetDouble() >= 0);
            Assert.Equal(2, row.GetProperty("repeats").GetInt32());
        }
    }

    /// <summary>The peak is that which plan predicts: nothing of warm-up, floors or other rows is in it.</summary>
    [Fact]
    public void Peak_IsThatOfThePlan()
    {
        var row = Assert.Single(Rows("-p", "200", "-n", "5", "--settings", "w4g64a16-k4v4-t64-c64"));
        var plan = CommandRun.Of(
            "plan", Model, "--context", "200", "--new-tokens", "5", "--settings", "w4g64a16-k4v4-t64-c64", "--threads", "1", "--json");
        using var planned = JsonDocument.Parse(plan.Output);
        Assert.Equal(
            planned.RootElement.GetProperty("rows")[0].GetProperty("peakBytes").GetProperty("total").GetInt64(),
            row.GetProperty("peakBytes").GetInt64());
    }

    /// <summary>Each more has a cache of its own; the other memory of a step grows with them.</summary>
    [Fact]
    public void Sequences_DecodeTogether()
    {
        var rows = Rows("-p", "200", "-n", "5", "-s", "1,2,3");
        Assert.Equal([1, 2, 3], rows.Select(row => row.GetProperty("sequences").GetInt32()));
        long[] peaks = [.. rows.Select(row => row.GetProperty("peakBytes").GetInt64())];
        Assert.True(peaks[2] - peaks[1] > 204 * 100, "a cache of 204 tokens");
        Assert.True(peaks[1] > peaks[0]);
        Assert.All(rows, row => Assert.True(row.GetProperty("tpotMs").GetProperty("median").GetDouble() > 0));
    }

    [Fact]
    public void Floors_StandBesideTheTimes()
    {
        var run = CommandRun.Of("bench", Model, "-p", "64", "-n", "4", "-r", "1", "-o", "json", "--threads", "1");
        Assert.Equal(0, run.Code);
        Assert.Contains("read ", run.Error, StringComparison.Ordinal);
        Assert.Contains("dense f32 product ", run.Error, StringComparison.Ordinal);
        using var document = JsonDocument.Parse(run.Output);
        foreach (var time in new[] { "ttftMs", "tpotMs" })
            Assert.True(document.RootElement.GetProperty("rows")[0].GetProperty(time).GetProperty("floor").GetDouble() > 0);
    }

    [Fact]
    public void Csv_IsDrawnByReport()
    {
        using var folder = new ScratchFolder();
        var run = CommandRun.Of(["bench", Model, "-p", "32,128", "-n", "2", "-o", "csv", .. Quick]);
        Assert.Equal(0, run.Code);
        var report = CommandRun.Of("report", folder.Write("bench.csv", run.Output), "--figure", "latency");
        Assert.Equal((0, $"{folder["latency.csv"]}\n{folder["latency.png"]}\n"), (report.Code, report.Output));
        var elsewhere = CommandRun.Of("report", folder["bench.csv"], "--out", folder["figures"]);
        Assert.Equal((0, $"{folder["figures/latency.csv"]}\n{folder["figures/latency.png"]}\n"), (elsewhere.Code, elsewhere.Output));
        Assert.Equal(2, CommandRun.Of("report", folder["bench.csv"], "--figure", "memory").Code);
        Assert.Contains("bench.csv: is no run; allowed for a bench's table: --out,",
            CommandRun.Of("report", folder["bench.csv"], "--repair").Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Table_FitsATerminalWithBothFloors()
    {
        var run = CommandRun.OnTerminal(80, "bench", Model, "-p", "64", "-n", "2", "-d", "16", "-r", "2", "--threads", "1");
        string[] lines = run.Output.Split('\n');
        Assert.All(lines, line => Assert.True(line.Length <= 80, line));
        Assert.Equal(2, lines.Single(line => line.TrimStart().StartsWith("setting", StringComparison.Ordinal)).Split("floor").Length - 1);
        Assert.Contains("64 @16", run.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("together", run.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("16", "0", "16, 0 new: first token ", ", a token ")]
    [InlineData("0", "2", "0, 2 new: a token ", "first token ")]
    public void Progress_SaysWhatWasTimed(string prompt, string newTokens, string timed, string other)
    {
        var run = CommandRun.Of(["bench", Model, "-p", prompt, "-n", newTokens, "-d", "1", .. Quick]);
        Assert.Contains(timed, run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain(other, run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Markdown_HasALineARow()
    {
        var run = CommandRun.Of(["bench", Model, "-p", "16", "-n", "2", "-o", "md", .. Quick]);
        string[] lines = run.Output.TrimEnd().Split('\n');
        Assert.StartsWith("| model | device | setting | depth | prompt |", lines[0], StringComparison.Ordinal);
        Assert.Equal(3, lines.Length);
        Assert.Single(lines.Select(line => line.Count(c => c == '|')).Distinct());
    }

    [Theory]
    [InlineData("-p", "0", "bench: nothing to time")]
    [InlineData("-p", "5-1", "--prompt '5-1'; allowed: numbers from 0")]
    [InlineData("-p", "4k", "bench: 4127 tokens, but the model was made for 2048 positions")]
    [InlineData("-s", "0", "--sequences '0'; allowed: numbers from 1")]
    [InlineData("-s", "65", "bench: 65 sequences together on cpu; allowed: 1 to 64")]
    [InlineData("-r", "0", "-r 0; allowed: 1 to 1000")]
    [InlineData("-o", "xml", "-o 'xml'; allowed: table, csv, json, md")]
    [InlineData("--chunk", "-1", "--chunk '-1'; allowed: numbers from 0")]
    [InlineData("--settings", "w3", "setting 'w3'")]
    public void Mistake_IsOneLine(string option, string value, string message)
    {
        var run = CommandRun.Of("bench", Model, "--no-floors", option, value);
        Assert.Equal((2, ""), (run.Code, run.Output));
        Assert.StartsWith($"kvpareto: {message}", run.Error, StringComparison.Ordinal);
    }

    private static JsonElement[] Rows(params string[] options)
    {
        var run = CommandRun.Of(["bench", Model, .. options, "-o", "json", .. Quick]);
        Assert.Equal(0, run.Code);
        return [.. JsonDocument.Parse(run.Output).RootElement.GetProperty("rows").EnumerateArray()];
    }
}
