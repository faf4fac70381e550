using KvPareto.Engine.Settings;
using KvPareto.Sweep.Answers.Replays;
using KvPareto.Sweep.Trials;
using KvPareto.Testing;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Tests.Answers.Replays;

public class SearchReplayTests
{
    private const string Settings =
        "w16a16-k8v8-t64, w16a16-k4v4-t64, w16a16-k2v2-t64, w4a16-k8v8-t64, w4a16-k4v4-t64, w4a16-k2v2-t64, w8a16-k4v4-t64";

    private static readonly IReadOnlyList<SweepTask> Tasks =
        [new("facts", new FakeTask("facts", 16)), new("counts", new FakeTask("counts", 8))];

    private static double Skill(InferenceSetting setting) =>
        setting.Cache.Keys.Bits switch { 2 => 0.2, 4 => 0.6, _ => 1 };

    private static string Run(ScratchFolder temp, string search)
    {
        var engine = new FakeEngine { Skill = Skill };
        FakeSweep.Run(temp["run"], engine, FakeSweep.Config(Settings, search: search), tasks: Tasks);
        return temp["run"];
    }

    [Fact]
    public void Exhaustive_CostsEverythingAndFindsEverything()
    {
        using var temp = new ScratchFolder();
        var replays = SearchReplay.Of(Run(temp, "exhaustive"), "exhaustive");
        Assert.Equal(["one", "two"], replays.Select(replay => replay.Model));
        Assert.All(replays, replay =>
        {
            Assert.Equal((8, 8, replay.FrontierPoints), (replay.Settings, replay.Whole, replay.FrontierFound));
            Assert.Equal((1.0, 0.0, 1.0, 0.0), (replay.CostShare, replay.ProbeShare, replay.HypervolumeShare, replay.LargestLoss));
            Assert.Equal(1, replay.ChanceShare, 9);
            Assert.Equal(1, replay.PromptShare);
            Assert.InRange(replay.CostToNearlyAll!.Value, 0.05, 1);
        });
    }

    [Theory]
    [InlineData("predict")]
    [InlineData("{kind: halving, margin: 20, confidence: 0.8}")]
    [InlineData("{kind: nsga2, population: 2, generations: 2}")]
    public void Others_CostLess(string search)
    {
        using var temp = new ScratchFolder();
        Assert.All(SearchReplay.Of(Run(temp, "{kind: exhaustive, probes: 2}"), search), replay =>
        {
            Assert.InRange(replay.Whole, 1, 7);
            Assert.InRange(replay.CostShare, 0.01, 0.99);
            Assert.InRange(replay.PromptShare, 0.01, 0.99);
            Assert.InRange(replay.HypervolumeShare, 0.1, 1);
            Assert.Equal(replay.HypervolumeShare >= 0.99, replay.CostToNearlyAll <= replay.CostShare);
            Assert.InRange(replay.ChanceShare, 0.1, 1);
            Assert.Equal(search == "predict", replay.ProbeShare > 0);
            Assert.InRange(replay.LargestLoss, 0, 100);
        });
    }

    [Fact]
    public void Of_RefusesARunThatLacksSamples()
    {
        using var temp = new ScratchFolder();
        var run = Run(temp, "exhaustive");
        File.WriteAllText(Directory.GetFiles(Path.Combine(run, "samples"))[0], "");
        var error = Assert.Throws<ConfigException>(() => SearchReplay.Of(run, "halving"));
        Assert.StartsWith($"{run}: samples/ lacks samples of ", error.Message, StringComparison.Ordinal);
        Assert.EndsWith("; allowed: a run whose samples are all there", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_RefusesWhatCannotBeReplayed()
    {
        using var temp = new ScratchFolder();
        var run = Run(temp, "exhaustive");
        Refuses("predict", "was probed on fewer prompts than predict needs; allowed: a run with search: {kind: exhaustive, probes: 1}");
        Refuses("greedy", "--search:1: the config has the unknown value 'greedy'; allowed: exhaustive, halving, predict, nsga2");
        using var other = new ScratchFolder();
        run = Run(other, "{kind: halving, margin: 20, confidence: 0.8}");
        Refuses("halving", "was dropped by a search; allowed: a run of everything");

        void Refuses(string search, string expected) => Assert.Contains(
            expected, Assert.Throws<ConfigException>(() => SearchReplay.Of(run, search)).Message, StringComparison.Ordinal);
    }
}
