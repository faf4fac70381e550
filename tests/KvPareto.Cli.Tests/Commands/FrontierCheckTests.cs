using System.Globalization;
using System.Text.Json;
using CsvHelper;

namespace KvPareto.Cli.Tests.Commands;

public class FrontierCheckTests(SmallRuns runs) : IClassFixture<SmallRuns>
{
    [Theory]
    [InlineData("results.csv", 3)]
    [InlineData("frontier.csv", 0)]
    public void OwnTables_AreNotWorse(string name, int settings)
    {
        var run = CommandRun.Of("frontier", runs.Short, "--check", Path.Combine(runs.Short, name));
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.StartsWith("0 of ", run.Output, StringComparison.Ordinal);
        if (settings > 0) Assert.Equal($"0 of {settings} settings worse than in {name}, 0 better\n", run.Output);
    }

    /// <summary>A spreadsheet writes truths in capitals.</summary>
    [Fact]
    public void OwnTableOfASpreadsheet_IsNotWorse()
    {
        var table = File.ReadAllText(Path.Combine(runs.Short, "results.csv"));
        File.WriteAllText(runs["capitals.csv"], table.Replace(",true,", ",TRUE,", StringComparison.Ordinal));
        Assert.NotEqual(table, File.ReadAllText(runs["capitals.csv"]));
        var run = CommandRun.Of("frontier", runs.Short, "--check", runs["capitals.csv"]);
        Assert.Equal((0, "0 of 3 settings worse than in capitals.csv, 0 better\n"), (run.Code, run.Output));
    }

    [Fact]
    public void LowerScore_IsWorseBelowTheEarlierInterval()
    {
        const string setting = "w4g64a16-k8v8-t64-c64";
        var now = Cell(setting, "score");
        var inside = Edited(setting, ("score", Text(now + 10)), ("ci_low", Text(now)));
        Assert.Equal(0, CommandRun.Of("frontier", runs.Short, "--check", inside).Code);
        var below = Edited(setting, ("score", Text(now + 10)), ("ci_low", Text(now + 0.0001)));
        var run = CommandRun.Of("frontier", runs.Short, "--check", below);
        Assert.Equal(3, run.Code);
        var scores = string.Create(CultureInfo.InvariantCulture, $"{now + 10:F2} → {now:F2}, below its interval from {now + 0.0001:F2}");
        Assert.Equal(
            $"{SmallRuns.Model}:\n  {setting}\n    score {scores}\n1 of 3 settings worse than in edited.csv, 0 better\n",
            run.Output);
    }

    [Fact]
    public void LargerPeak_IsWorseBeyondTheTolerance()
    {
        const string setting = "w4g64a16-k2v2-t64-c64";
        var now = Cell(setting, "total_peak_bytes");
        var smaller = Edited(setting, ("total_peak_bytes", Text(Math.Floor(now / 1.02))));
        Assert.Equal(3, CommandRun.Of("frontier", runs.Short, "--check", smaller).Code);
        Assert.Equal(0, CommandRun.Of("frontier", runs.Short, "--check", smaller, "--peak-tolerance", "2.1").Code);
        Assert.Equal(3, CommandRun.Of("frontier", runs.Short, "--check", smaller, "--peak-tolerance", "1.9").Code);
        var larger = CommandRun.Of("frontier", runs.Short, "--check", Edited(setting, ("total_peak_bytes", Text(2 * now))));
        Assert.Equal((0, "0 of 3 settings worse than in edited.csv, 1 better\n"), (larger.Code, larger.Output));
    }

    [Fact]
    public void MissingSetting_IsWorse_AndANewOneIsSaid()
    {
        const string setting = "w4g64a16-k2v2-t64-c64";
        var run = CommandRun.Of("frontier", runs.Short, "--check", Edited(setting, ("setting", "w4g64a16-k4v4-t64-c64")), "--json");
        Assert.Equal(3, run.Code);
        Assert.Equal($"on the frontier now and not in the earlier file: {setting}\n", run.Error);
        using var document = JsonDocument.Parse(run.Output);
        Assert.Equal(1, document.RootElement.GetProperty("worse").GetInt32());
        var missing = document.RootElement.GetProperty("settings").EnumerateArray()
            .Single(point => point.GetProperty("worse").GetArrayLength() > 0);
        Assert.Equal("w4g64a16-k4v4-t64-c64", missing.GetProperty("setting").GetString());
        Assert.Equal("has no result", missing.GetProperty("worse")[0].GetString());
    }

    [Fact]
    public void OtherInstructions_AreSaid()
    {
        const string setting = "w4g64a16-k8v8-t64-c64";
        var now = Table() is var (columns, rows) ? rows[0][columns.IndexOf("instructions")] : "";
        Assert.Contains(now, new[] { "AVX-512", "AVX2", "scalar" });
        var run = CommandRun.Of("frontier", runs.Short, "--check", Edited(setting, ("instructions", "AVX-1024")));
        Assert.Equal(
            (0, $"the earlier run was measured with {string.Join(" and with ", new[] { now, "AVX-1024" }.Order(StringComparer.Ordinal))}, "
                + $"this one with {now}: scores of settings with very few bits may differ by that alone\n"),
            (run.Code, run.Error));
    }

    [Fact]
    public void LimitedRuns_AreSaid()
    {
        var run = CommandRun.Of("frontier", runs.Short, "--check", Edited("w4g64a16-k8v8-t64-c64", ("limit", "3")));
        Assert.Equal(
            "the earlier run has at most 3 samples of each task, this one all samples: scores and peaks are of other samples\n", run.Error);
    }

    [Fact]
    public void OtherTasks_AreRefused()
    {
        var (columns, rows) = Table();
        var text = File.ReadAllText(Path.Combine(runs.Short, "results.csv")).Replace(":gsm8k", ":mmlu", StringComparison.Ordinal);
        File.WriteAllText(runs["tasks.csv"], text);
        var run = CommandRun.Of("frontier", runs.Short, "--check", runs["tasks.csv"]);
        Assert.Equal(
            (2, $"kvpareto: {runs["tasks.csv"]}: {rows[0][columns.IndexOf("setting")]} of {SmallRuns.Model} is scored on mmlu there alone "
                + "and on gsm8k here alone; allowed: an earlier run of the same tasks\n"),
            (run.Code, run.Error));
    }

    [Theory]
    [InlineData("model_digest", "00", "the files of embedded:llama are not those that the earlier run had\n")]
    [InlineData("samples", "999", "the earlier run has 999 samples of a setting, this one N: scores and peaks are of other samples\n")]
    [InlineData("trial", "00",
        "the earlier run has other trials of the same settings: its tasks, their data, the seed or the kind of device differ\n")]
    public void OtherModelsOrSamples_AreSaid(string column, string text, string expected)
    {
        var run = CommandRun.Of("frontier", runs.Short, "--check", Edited("w4g64a16-k8v8-t64-c64", (column, text)));
        var samples = Cell("w4g64a16-k8v8-t64-c64", "samples");
        Assert.Equal((0, expected.Replace("one N", $"one {samples}", StringComparison.Ordinal)), (run.Code, run.Error));
    }

    [Fact]
    public void OtherOptions_AreRefused()
    {
        var run = CommandRun.Of("frontier", runs.Short, "--check", Path.Combine(runs.Short, "results.csv"), "--tasks", "fact");
        Assert.Equal(
            (2, "kvpareto: --tasks beside --check; allowed: without it, since all that was scored is compared\n"), (run.Code, run.Error));
    }

    [Fact]
    public void Contexts_AreComparedEachWithItself()
    {
        File.WriteAllText(runs["contexts.yaml"], $"""
            models: [{SmallRuns.Model}]
            tasks: [{"{"}task: embedded, kind: fact, samples: 2, length: 300{"}"}]
            contexts: [300, 600]
            settings: [w4g64a16-k2v2-t64-c64]
            """);
        Assert.Equal(0, CommandRun.Of("sweep", runs["contexts.yaml"], "--out", runs["contexts"], "--threads", "1").Code);
        var run = CommandRun.Of("frontier", runs["contexts"], "--check", Path.Combine(runs["contexts"], "results.csv"));
        Assert.Equal((0, "0 of 4 settings worse than in results.csv, 0 better\n"), (run.Code, run.Output));
    }

    /// <summary>Its cells have an apostrophe before the name, for spreadsheets.</summary>
    [Fact]
    public void AModelWhoseNameBeginsAsAFormula_IsFoundAgain()
    {
        File.WriteAllText(runs["at.yaml"], $$"""
            models: [{name: "@tiny", path: "{{SmallRuns.Model}}"}]
            tasks: [{task: embedded, kind: fact, samples: 2, length: 300}]
            settings: [w4g64a16-k2v2-t64-c64]
            """);
        Assert.Equal(0, CommandRun.Of("sweep", runs["at.yaml"], "--out", runs["at"], "--threads", "1").Code);
        Assert.Contains(",'@tiny,", File.ReadAllText(Path.Combine(runs["at"], "results.csv")), StringComparison.Ordinal);
        var run = CommandRun.Of("frontier", runs["at"], "--check", Path.Combine(runs["at"], "results.csv"));
        Assert.Equal((0, "0 of 2 settings worse than in results.csv, 0 better\n"), (run.Code, run.Output));
    }

    [Theory]
    [InlineData("", "is empty")]
    [InlineData("model,setting\na,b\n", "has no column 'total_peak_bytes'")]
    [InlineData("\uFEFFmodel;setting\r\na;b\r\n", "its columns are parted by semicolons; allowed: ")]
    [InlineData("model,setting,total_peak_bytes,score,ci_low\n", "holds no setting with a result")]
    [InlineData("model,setting,total_peak_bytes,score,ci_low\na,b,1e999,1,1\n", ":2: column 'total_peak_bytes' is '1e999'")]
    [InlineData("model,setting,total_peak_bytes,score,ci_low\na,b,1,NaN,1\n", ":2: column 'score' is 'NaN'")]
    [InlineData("model,setting,total_peak_bytes,score,ci_low\na,b,1,250,1\n", ":2: column 'score' is '250'; allowed: a number from 0 to")]
    [InlineData("model,setting,total_peak_bytes,score,ci_low\na,b,1,1\n", ":2: is no line of its table")]
    [InlineData("model,setting,total_peak_bytes,score,ci_low\na,b,1,,1\n", ":2: column 'score' is ''; allowed: a number from 0 to 100")]
    [InlineData("model,setting,total_peak_bytes,score,ci_low,task:x\na,b,1,,,1\n", ":2: column 'score' is ''")]
    [InlineData("model,setting,total_peak_bytes,score,ci_low\na,b,1,50,51\n", ":2: column 'ci_low' is '51'; allowed: a number up to the")]
    [InlineData("model,setting,total_peak_bytes,score,ci_low,status\na,b,1,1,1,fine\n", "'status' is 'fine'; allowed: ok, failed, dropped")]
    [InlineData("model,setting,total_peak_bytes,score,ci_low,frontier\na,b,1,1,1,yes\n", "'frontier' is 'yes'; allowed: true, false")]
    [InlineData("model,setting,total_peak_bytes,score,ci_low,context\na,b,1,1,1,1.5\n", "'context' is '1.5'; allowed: a whole number")]
    [InlineData("model,setting,total_peak_bytes,score,ci_low,score\na,b,1,1,1,1\n", "has the column 'score' twice")]
    [InlineData("model,setting,total_peak_bytes,score,ci_low\na,b,1,1,1\na,b,1,1,1\n", "has b of a twice")]
    public void Damage_IsNamedInOneLine(string content, string words)
    {
        File.WriteAllText(runs["damaged.csv"], content);
        var run = CommandRun.Of("frontier", runs.Short, "--check", runs["damaged.csv"]);
        Assert.Equal(2, run.Code);
        Assert.Contains(words, run.Error, StringComparison.Ordinal);
        Assert.Equal(1, run.Error.Count(character => character == '\n'));
    }

    [Fact]
    public void FilesOfOtherKinds_AreNamedInOneLine()
    {
        const string Row = "model,setting,total_peak_bytes,score,ci_low\nM\u00fcller,b,1,1,1\n";
        File.WriteAllBytes(runs["latin.csv"], System.Text.Encoding.Latin1.GetBytes(Row));
        Assert.Equal(
            (2, $"kvpareto: {runs["latin.csv"]}: not UTF-8 at byte 45\n"),
            CommandRun.Of("frontier", runs.Short, "--check", runs["latin.csv"]) is var run ? (run.Code, run.Error) : default);
        File.WriteAllText(runs["long.csv"], Row.Replace("b,", new string('b', 1 << 17) + ",", StringComparison.Ordinal));
        run = CommandRun.Of("frontier", runs.Short, "--check", runs["long.csv"]);
        Assert.Equal((2, ""), (run.Code, run.Output));
        Assert.Contains(":2: is no line of its table", run.Error, StringComparison.Ordinal);
    }

    private static string Text(double value) => value.ToString("R", CultureInfo.InvariantCulture);

    private double Cell(string setting, string column)
    {
        var (columns, rows) = Table();
        return double.Parse(rows.Single(row => row.Contains(setting))[columns.IndexOf(column)], CultureInfo.InvariantCulture);
    }

    private string Edited(string setting, params (string Column, string Text)[] cells)
    {
        var (columns, rows) = Table();
        var row = rows.Single(row => row.Contains(setting));
        foreach (var (column, text) in cells) row[columns.IndexOf(column)] = text;
        var lines = rows.Select(cells => string.Join(',', cells.Select(cell => $"\"{cell}\"")));
        File.WriteAllLines(runs["edited.csv"], [string.Join(',', columns), .. lines]);
        return runs["edited.csv"];
    }

    private (List<string> Columns, List<string[]> Rows) Table()
    {
        using var text = new StreamReader(Path.Combine(runs.Short, "results.csv"));
        using var csv = new CsvParser(text, CultureInfo.InvariantCulture);
        var rows = new List<string[]>();
        while (csv.Read()) rows.Add(csv.Record!);
        return ([.. rows[0]], rows[1..]);
    }
}
