using System.Text.Json;
using System.Text.Json.Nodes;

namespace KvPareto.Cli.Tests.Commands;

public class RecommendCommandTests(SmallRuns runs) : IClassFixture<SmallRuns>
{
    private const string Smallest = "w4g64a16-k2v2-t64-c64";

    /// <summary>What is predicted of short prompts for long ones is what a sweep of long ones measures, but for new tokens that an
    /// answer did not need.</summary>
    [Fact]
    public void PeakAtAnotherContext_IsWhatASweepMeasuresThere()
    {
        var there = Choice(runs.Long, "--prefer", "memory");
        Assert.False(there.GetProperty("isPredicted").GetBoolean());
        var context = there.GetProperty("measuredContext").GetInt32();
        var predicted = Choice(runs.Short, "--prefer", "memory", "--context", $"{context}", "--new-tokens", "8");
        Assert.True(predicted.GetProperty("isPredicted").GetBoolean());
        Assert.Equal(Smallest, there.GetProperty("setting").GetString());
        Assert.Equal(Smallest, predicted.GetProperty("setting").GetString());
        var (expected, measured) = (predicted.GetProperty("peakBytes").GetInt64(), there.GetProperty("peakBytes").GetInt64());
        Assert.InRange(expected, 0.99 * measured, 1.01 * measured);
        Assert.True(expected > Choice(runs.Short, "--prefer", "memory").GetProperty("peakBytes").GetInt64());
    }

    [Fact]
    public void LongestContext_IsTheLastThatFits()
    {
        var bytes = Choice(runs.Short, "--prefer", "memory", "--context", "600").GetProperty("peakBytes").GetInt64();
        var longest = Choice(runs.Short, "--prefer", "memory", "--budget", $"{bytes}B").GetProperty("longestContext").GetInt32();
        Assert.True(longest >= 600);
        Assert.True(Choice(runs.Short, "--prefer", "memory", "--context", $"{longest}").GetProperty("peakBytes").GetInt64() <= bytes);
        Assert.True(Choice(runs.Short, "--prefer", "memory", "--context", $"{longest + 1}").GetProperty("peakBytes").GetInt64() > bytes);
    }

    /// <summary>Golden shape at 80 columns; no line is wider.</summary>
    [Fact]
    public void Answer_FitsATerminalAndNamesEveryEngine()
    {
        var run = CommandRun.OnTerminal(80, "recommend", runs.Short, "--budget", "1GiB", "--context", "1000", "--max-loss", "100%");
        Assert.Equal((0, ""), (run.Code, run.Error));
        string[] lines = run.Output.Split('\n');
        Assert.All(lines, line => Assert.True(line.Length <= 80, line));
        Assert.StartsWith($"{SmallRuns.Model}: w", lines[0], StringComparison.Ordinal);
        foreach (var engine in new[] { "llama.cpp", "vLLM", "LMDeploy", "exllamav3", "transformers" }) Assert.Contains(engine, lines);
        Assert.Contains("predicted from shapes", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void NothingWithinTheLimits_ExitsWith3AndNamesTheNearest()
    {
        var run = CommandRun.Of("recommend", runs.Short, "--budget", "1MiB", "--context", "1000", "--max-loss", "100pt");
        Assert.Equal((3, ""), (run.Code, run.Output));
        string[] lines = run.Error.TrimEnd().Split('\n');
        Assert.Equal($"{SmallRuns.Model}: none of 3 settings fits in 1.00 MiB at 1,000 tokens and loses at most 100 points", lines[0]);
        Assert.StartsWith($"  nearest in memory: {Smallest} needs ", lines[1], StringComparison.Ordinal);
    }

    /// <summary>The baseline loses nothing, so no loss at all is within a limit of 0 where it fits.</summary>
    [Fact]
    public void NoLossAllowed_LeavesWhatIsAsGoodAsTheBaseline()
    {
        var choice = Choice(runs.Short, "--max-loss", "0pt", "--certain");
        Assert.InRange(choice.GetProperty("loss").GetDouble(), -100, 0);
        Assert.InRange(choice.GetProperty("lossInterval")[1].GetDouble(), -100, 0);
    }

    [Theory]
    [InlineData("--budget", "8", "--budget '8'; allowed: a number and a unit, such as 8GiB: B, KB, MB, GB, TB, KiB, MiB, GiB, TiB")]
    [InlineData("--max-loss", "2", "--max-loss '2'; allowed: 0 to 100 with a unit: 2%")]
    [InlineData("--context", "32k,64k", "--context '32k,64k'; allowed: one number of tokens")]
    [InlineData("--context", "1M", "--context '1M'; allowed: numbers of tokens")]
    [InlineData("--context", "100k", "--context 100000: with 128 new tokens more than the 2048 positions of embedded:llama")]
    [InlineData("--prefer", "best", "--prefer 'best'; allowed: score, memory, speed")]
    [InlineData("--model", "other", "--model 'other'; allowed: embedded:llama")]
    [InlineData("--new-tokens", "0", "--new-tokens 0; allowed: 1 to")]
    [InlineData("--shapes", "nothing", "nothing: there is no such model")]
    public void Mistake_IsOneLine(string option, string value, string message)
    {
        var run = CommandRun.Of("recommend", runs.Short, option, value);
        Assert.Equal((2, ""), (run.Code, run.Output));
        Assert.StartsWith($"kvpareto: {message}", run.Error, StringComparison.Ordinal);
        Assert.Single(run.Error.TrimEnd().Split('\n'));
    }

    /// <summary>A folder of an earlier version, whose model is a folder that is no more: the shapes must be named.</summary>
    [Fact]
    public void RunWithoutShapes_AsksForThem()
    {
        var folder = runs["without"];
        CopyWithout(runs.Short, folder);
        var run = CommandRun.Of("recommend", folder, "--context", "1000");
        Assert.Equal(2, run.Code);
        Assert.Contains("run.json does not say the shapes of gone", run.Error, StringComparison.Ordinal);
        Assert.Contains("--shapes MODEL", run.Error, StringComparison.Ordinal);
        Assert.Equal(
            Choice(runs.Short, "--context", "1000").GetProperty("peakBytes").GetInt64(),
            Choice(folder, "--context", "1000", "--shapes", "embedded:llama").GetProperty("peakBytes").GetInt64());
    }

    // Names the model otherwise and takes away what run.json says of it, checksums too: of a version that wrote none.
    private static void CopyWithout(string from, string to)
    {
        Directory.CreateDirectory(Path.Combine(to, "samples"));
        foreach (var file in Directory.GetFiles(Path.Combine(from, "samples")))
            File.WriteAllLines(Path.Combine(to, "samples", Path.GetFileName(file)), File.ReadLines(file).Select(Bare));
        File.WriteAllLines(Path.Combine(to, "journal.jsonl"), File.ReadLines(Path.Combine(from, "journal.jsonl")).Select(Bare));
        File.WriteAllText(Path.Combine(to, "run.json"), Bare(File.ReadAllText(Path.Combine(from, "run.json"))));

        static string Bare(string json)
        {
            var entry = JsonNode.Parse(json)!.AsObject();
            entry.Remove("line");
            entry.Remove("sum");
            entry.Remove("architectures");
            (entry["run"] as JsonObject)?.Remove("architectures");
            return entry.ToJsonString().Replace($"\"{SmallRuns.Model}\"", "\"gone\"", StringComparison.Ordinal);
        }
    }

    private static JsonElement Choice(string run, params string[] options)
    {
        var answer = CommandRun.Of(["recommend", run, .. options, "--json"]);
        Assert.Equal(0, answer.Code);
        return JsonDocument.Parse(answer.Output).RootElement.GetProperty("answers")[0].GetProperty("choice");
    }
}
