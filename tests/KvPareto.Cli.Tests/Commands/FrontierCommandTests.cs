using System.Text.Json;
using KvPareto.Testing;

namespace KvPareto.Cli.Tests.Commands;

public class FrontierCommandTests(SmallRuns runs) : IClassFixture<SmallRuns>
{
    [Fact]
    public void Score_IsThatOfTasksMetricAndWeights()
    {
        var (fact, strict) = (Scores("--tasks", "embedded:fact"), Scores("--tasks", "gsm8k"));
        Assert.Equal(3, fact.Count);
        foreach (var (setting, score) in Scores()) Assert.Equal((fact[setting] + strict[setting]) / 2, score, 6);
        foreach (var (setting, score) in Scores("--weights", "gsm8k=3")) Assert.Equal((fact[setting] + 3 * strict[setting]) / 4, score, 6);
        var flexible = Scores("--metric", "flexible");
        // A task without the metric is left out of the score.
        Assert.Equal(flexible, Scores("--metric", "flexible", "--tasks", "gsm8k"));
    }

    /// <summary>The trials of a context have tasks of their own.</summary>
    [Theory]
    [InlineData("--metric", "flexible")]
    [InlineData("--tasks", "gsm8k")]
    public void TrialsWithoutTheScoreThatIsAskedFor_AreLeftOut(string option, string value)
    {
        var config = runs[$"{value}.yaml"];
        File.WriteAllText(config, File.ReadAllText(runs["short.yaml"]) + "\ncontexts: [100]\n");
        Assert.Equal(0, CommandRun.Of("sweep", config, "--out", runs[value], "--limit", "1", "--threads", "1", "--no-report").Code);
        var run = CommandRun.Of("frontier", runs[value], option, value, "--json");
        Assert.Equal(0, run.Code);
        Assert.Equal("a limited run: at most 1 sample of each task (--limit); --resume --limit all measures the others\n", run.Error);
        using var document = JsonDocument.Parse(run.Output);
        Assert.Equal(SmallRuns.Model, document.RootElement.GetProperty("models").EnumerateArray().Single().GetProperty("model").GetString());
        var refused = CommandRun.Of("frontier", runs[value], "--metric", "rouge");
        Assert.Contains("has it; allowed: flexible, or no --metric", refused.Error, StringComparison.Ordinal);
    }

    /// <summary>A loss is that of the score beside it, and lies in its interval.</summary>
    [Theory]
    [InlineData()]
    [InlineData("--weights", "embedded:two-hop=9")]
    [InlineData("--weights", "embedded:count=9")]
    [InlineData("--tasks", "embedded:two-hop")]
    public void Loss_IsOfTheScoreThatIsAskedFor(params string[] options)
    {
        using var document = Answer(TestData.Golden("runs", "unsealed"), options);
        var settings = Settings(document).ToDictionary(setting => setting.GetProperty("setting").GetString()!);
        var baseline = ScoreOf(settings["w16a16-k16v16"]);
        Assert.Contains(settings.Values, setting => ScoreOf(setting) != baseline);
        foreach (var setting in settings.Values)
        {
            var (loss, interval) = (setting.GetProperty("scoreLoss").GetDouble(), setting.GetProperty("scoreLossInterval"));
            Assert.Equal(baseline - ScoreOf(setting), loss, 6);
            Assert.InRange(loss, interval[0].GetDouble() - 1e-6, interval[1].GetDouble() + 1e-6);
        }
    }

    [Fact]
    public void ThreeObjectives_AreWrittenAndDrawn()
    {
        var (csv, picture) = (runs["f.csv"], runs["f.png"]);
        var run = CommandRun.Of("frontier", runs.Short, "--objectives", "memory,score,tpot", "--csv", csv, "--picture", picture);
        Assert.Equal((0, ""), (run.Code, run.Error));
        string[] lines = File.ReadAllLines(csv);
        Assert.Equal(
            "model,setting,trial,total_peak_bytes,score,tpot_ms,ci_low,ci_high,score_loss,score_loss_ci_low,score_loss_ci_high,frontier,"
                + "dominated_confidence,hypervolume_percent,reference_total_peak_bytes,reference_score,reference_tpot_ms",
            lines[0]);
        Assert.Equal(4, lines.Length);
        Assert.Equal<byte>([0x89, 0x50, 0x4E, 0x47], File.ReadAllBytes(picture).AsSpan(0, 4).ToArray());
    }

    [Fact]
    public void Table_KeepsSettingAndObjectivesAt80Columns()
    {
        var run = CommandRun.OnTerminal(80, "frontier", runs.Short, "--objectives", "memory,score,ttft,tpot");
        Assert.Equal((0, ""), (run.Code, run.Error));
        string[] lines = run.Output.Split('\n');
        Assert.All(lines, line => Assert.True(line.Length <= 80, line));
        var heading = lines.Single(line => line.TrimStart().StartsWith("setting", StringComparison.Ordinal));
        foreach (var name in new[] { "peak", "score", "first token", "later token" })
            Assert.Contains(name, heading, StringComparison.Ordinal);
        Assert.Contains(lines, line => line.StartsWith("left out at 80 columns: ", StringComparison.Ordinal));
    }

    [Fact]
    public void RunsOfDifferentData_AreReadAsOne_AsReportDoes()
    {
        var run = CommandRun.Of("frontier", runs.Short, runs.Long, "--tasks", "embedded:fact", "--json");
        Assert.Contains("task embedded:fact: its data differ between runs; the larger", run.Error, StringComparison.Ordinal);
        using var document = JsonDocument.Parse(run.Output);
        using var first = JsonDocument.Parse(CommandRun.Of("frontier", runs.Short, "--tasks", "embedded:fact", "--json").Output);
        Assert.NotEmpty(Scores(first));
        Assert.Empty(Scores(first).Except(Scores(document)));

        static IEnumerable<string> Scores(JsonDocument answer) =>
            from model in answer.RootElement.GetProperty("models").EnumerateArray()
            from setting in model.GetProperty("settings").EnumerateArray()
            select $"{setting.GetProperty("setting")} {setting.GetProperty("values").GetProperty("score")}";
    }

    [Theory]
    [InlineData("--objectives", "memory", "--objectives 'memory'; allowed: at least 2 of memory, score, ttft, tpot")]
    [InlineData("--tasks", "hotpotqa", "has no task 'hotpotqa'; allowed: embedded:fact, gsm8k")]
    [InlineData("--weights", "gsm8k", "--weights 'gsm8k'; allowed: TASK=NUMBER")]
    [InlineData("--weights", "gsm8k=0", "--weights 'gsm8k=0'; allowed: TASK=NUMBER")]
    [InlineData("--weights", "mmlu=2", "has no task 'mmlu'; allowed: embedded:fact, gsm8k")]
    [InlineData("--metric", "rouge", "no sample of")]
    [InlineData("--picture", "f.gif", "--picture 'f.gif'; allowed: a file whose name ends with .png, .svg, .pdf")]
    public void Mistake_IsOneLine(string option, string value, string message)
    {
        var run = CommandRun.Of("frontier", runs.Short, option, value);
        Assert.Equal((2, ""), (run.Code, run.Output));
        Assert.Contains(message, run.Error, StringComparison.Ordinal);
        Assert.Single(run.Error.TrimEnd().Split('\n'));
    }

    [Fact]
    public void FourObjectives_AreNotDrawn()
    {
        var run = CommandRun.Of("frontier", runs.Short, "--objectives", "memory,score,ttft,tpot", "--picture", runs["four.png"]);
        Assert.Equal(2, run.Code);
        Assert.Contains("--picture: 4 objectives; allowed: two, or three", run.Error, StringComparison.Ordinal);
    }

    private Dictionary<string, double> Scores(params string[] options)
    {
        using var document = Answer(runs.Short, options);
        return Settings(document).ToDictionary(setting => setting.GetProperty("setting").GetString()!, ScoreOf);
    }

    private static JsonDocument Answer(string folder, string[] options)
    {
        var run = CommandRun.Of(["frontier", folder, .. options, "--json"]);
        Assert.Equal(0, run.Code);
        return JsonDocument.Parse(run.Output);
    }

    private static JsonElement.ArrayEnumerator Settings(JsonDocument answer) =>
        answer.RootElement.GetProperty("models")[0].GetProperty("settings").EnumerateArray();

    private static double ScoreOf(JsonElement setting) => setting.GetProperty("values").GetProperty("score").GetDouble();
}
