using System.Text.Json;

namespace KvPareto.Cli.Tests.Commands;

public class ReplayCommandTests(SmallRuns runs) : IClassFixture<SmallRuns>
{
    [Fact]
    public void Replay_TellsCostAndFrontierOfEachSearch()
    {
        var run = CommandRun.Of("replay", runs.Short, "--search", "exhaustive", "--search", "{kind: halving, levels: 2}", "--json");
        Assert.Equal((0, ""), (run.Code, run.Error));
        using var document = JsonDocument.Parse(run.Output);
        var replays = document.RootElement.GetProperty("replays").EnumerateArray().ToList();
        Assert.Equal(
            ["exhaustive probes=0", "halving margin=5 confidence=0.95 levels=2 seed=1"],
            replays.Select(replay => replay.GetProperty("search").GetString()));
        Assert.Equal((1.0, 1.0), (replays[0].GetProperty("costShare").GetDouble(), replays[0].GetProperty("hypervolumeShare").GetDouble()));
        Assert.InRange(replays[1].GetProperty("costShare").GetDouble(), 0.1, 1);

        var table = CommandRun.Of("replay", runs.Short, "--search", "exhaustive");
        Assert.StartsWith($"{SmallRuns.Model}: 3 settings\n", table.Output, StringComparison.Ordinal);
        Assert.Contains("100.0 %", table.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Replay_WithoutASearch_LeavesOutWhatNeedsProbes_WhereARunHasNone()
    {
        var run = CommandRun.Of("replay", runs.Short, "--json");
        Assert.Equal((0, "predict is left out: the run has no probes (docs/search.md)\n"), (run.Code, run.Error));
        using var document = JsonDocument.Parse(run.Output);
        Assert.Equal(
            ["halving", "nsga2"],
            document.RootElement.GetProperty("replays").EnumerateArray()
                .Select(replay => replay.GetProperty("search").GetString()!.Split(' ')[0]));
    }

    [Fact]
    public void Replay_RefusesARunWithoutProbes()
    {
        var run = CommandRun.Of("replay", runs.Short, "--search", "predict");
        Assert.Equal(2, run.Code);
        Assert.Contains("was probed on fewer prompts than predict needs", run.Error, StringComparison.Ordinal);
    }
}
