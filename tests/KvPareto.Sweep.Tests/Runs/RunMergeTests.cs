using KvPareto.Sweep.Frontier;
using KvPareto.Sweep.Reports;
using KvPareto.Sweep.Reports.Pictures;
using KvPareto.Sweep.Runs;
using KvPareto.Sweep.Trials;
using KvPareto.Testing;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Tests.Runs;

public class RunMergeTests
{
    private static readonly SweepTask Facts = new("facts", new FakeTask("facts", 3));
    private static readonly SweepTask MoreFacts = new("facts", new FakeTask("facts", 5));
    private static readonly SweepTask Counts = new("counts", new FakeTask("counts", 2));

    [Fact]
    public void Read_OfSettingsInTwoRuns_IsTheRunOfBoth()
    {
        using var temp = new ScratchFolder();
        FakeSweep.Run(temp["a"], new FakeEngine(), FakeSweep.Config("w4a16-k8v8-t64, w16a16-k8v8-t64"));
        FakeSweep.Run(temp["b"], new FakeEngine(), FakeSweep.Config("w4a16-k2v2-t64, w16a16-k4v4-t64", seed: 7));
        var whole = FakeSweep.Run(temp["whole"], new FakeEngine());
        var merged = RunMerge.Read([temp["a"], temp["b"]]);
        Assert.Equal(Figures(whole), Figures(merged));
        Assert.Equal((FakeSweep.Trials, "fake", 7), (merged.Planned, merged.Name, merged.Seed));
        Assert.Equal((0, 0), (merged.Missing.Count, merged.Messages.Count));
        Assert.Equal(Figures(whole), Figures(RunMerge.Read([temp["b"], temp["a"]])));
    }

    [Fact]
    public void Read_OfTasksInTwoRuns_GivesEachSettingBoth()
    {
        using var temp = new ScratchFolder();
        FakeSweep.Run(temp["a"], new FakeEngine(), tasks: [Facts]);
        FakeSweep.Run(temp["b"], new FakeEngine(), tasks: [Counts]);
        var whole = FakeSweep.Run(temp["whole"], new FakeEngine(), tasks: [Facts, Counts]);
        var merged = RunMerge.Read([temp["a"], temp["b"]]);
        Assert.Equal(Figures(whole), Figures(merged));
        Assert.All(merged.Results, result =>
            Assert.Equal(["counts", "facts"], merged.SamplesOf(result).Select(sample => sample.Task).Distinct().Order()));
        Assert.Equal(FakeSweep.Trials, merged.Results.Select(result => result.TrialId).Distinct().Count());
        Assert.All(merged.Results, result => Assert.True(result.TtftMs >= result.TtftSpread!.MinMs));
    }

    [Fact]
    public void Read_OfMoreSamples_TakesTheLargerTask()
    {
        using var temp = new ScratchFolder();
        FakeSweep.Run(temp["a"], new FakeEngine(), tasks: [Facts, Counts]);
        FakeSweep.Run(temp["b"], new FakeEngine(), tasks: [MoreFacts]);
        var whole = FakeSweep.Run(temp["whole"], new FakeEngine(), tasks: [MoreFacts, Counts]);
        foreach (var folders in new[] { new[] { temp["a"], temp["b"] }, [temp["b"], temp["a"]] })
        {
            var merged = RunMerge.Read(folders);
            Assert.Equal(Figures(whole), Figures(merged));
            Assert.Equal(["task facts: its data differ between runs; the larger, then the first, counts"], merged.Messages);
        }
    }

    [Fact]
    public void Read_OfTwoDevices_KeepsThemApart()
    {
        using var temp = new ScratchFolder();
        FakeSweep.Run(temp["a"], new FakeEngine { Skill = _ => 0, Device = "chip, none" });
        FakeSweep.Run(temp["b"], new FakeEngine { Skill = _ => 1, Device = "chip, other" });
        var merged = RunMerge.Read([temp["a"], temp["b"]]);
        Assert.Equal(
            ["one on none", "two on none", "one on other", "two on other"], merged.Results.Select(result => result.Model).Distinct());
        Assert.Equal(2 * FakeSweep.Trials, merged.Results.Count);
        var options = new ReportOptions { History = merged };
        var points = LengthPoints.Of(
            FrontierAnalysis.Of(merged.Results, merged.Baseline, 1, resamples: 10), trial => options.SamplesOf(temp["a"], trial));
        Assert.All(points, point => Assert.Equal(point.Model.EndsWith("other", StringComparison.Ordinal) ? 100 : 0, point.Score));
        Assert.Equal(4, points.Select(point => point.Model).Distinct().Count());
    }

    [Fact]
    public void Read_SaysWhatIsMissing()
    {
        using var temp = new ScratchFolder();
        var killed = new FakeEngine { Before = (number, _, _) => { if (number == 32) throw new TimeoutException(); } };
        Assert.Throws<TimeoutException>(() => FakeSweep.Run(temp["a"], killed));
        FakeSweep.Run(temp["b"], new FakeEngine(), FakeSweep.Config("w4a16-k8v8-t64, w16a16-k8v8-t64"));
        var merged = RunMerge.Read([temp["a"], temp["b"]]);
        Assert.Equal((8, 10), (merged.Results.Count, merged.Planned));
        Assert.Equal(["w4a16-k2v2-t64 of two", "w16a16-k4v4-t64 of two"], merged.Missing);
    }

    [Fact]
    public void Read_RefusesATaskCalledAsAPartOfAnother()
    {
        using var temp = new ScratchFolder();
        FakeSweep.Run(temp["a"], new FakeEngine(), tasks: [Facts]);
        FakeSweep.Run(temp["b"], new FakeEngine(), tasks: [Counts with { Name = "facts/exact" }]);
        var error = Assert.Throws<ConfigException>(() => RunMerge.Read([temp["a"], temp["b"]]));
        Assert.Equal(
            "the runs have a task 'facts/exact', as a part of another is called; allowed: names that begin with no other and '/'",
            error.Message);
    }

    [Fact]
    public void Read_RefusesRunsWithOtherBaselines()
    {
        using var temp = new ScratchFolder();
        FakeSweep.Run(temp["a"], new FakeEngine());
        var config = FakeSweep.Config() with { Baseline = Engine.Settings.InferenceSetting.Parse("w16a16-k8v8-t64") };
        FakeSweep.Run(temp["b"], new FakeEngine(), config);
        var error = Assert.Throws<ConfigException>(() => RunMerge.Read([temp["a"], temp["b"]]));
        Assert.Contains("its baseline is w16a16-k8v8-t64", error.Message, StringComparison.Ordinal);
    }

    // By setting and model; ids are those of runs.
    private static IEnumerable<string> Figures(RunHistory history) => history.Results
        .OrderBy(result => result.Model, StringComparer.Ordinal).ThenBy(result => result.Setting, StringComparer.Ordinal)
        .Select(result => $"{result.Model} {result.Setting} {result.Score:F6} {result.Samples} {result.Peaks} "
            + string.Join(' ', result.Scores.OrderBy(score => score.Task, StringComparer.Ordinal).Select(score =>
                $"{score.Task} {string.Join(',', score.PerSample)}")));
}
