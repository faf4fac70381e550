using KvPareto.Sweep.Journaling;
using KvPareto.Sweep.Results;
using KvPareto.Sweep.Runs;
using KvPareto.Sweep.Trials;
using KvPareto.Testing;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Tests.Trials;

/// <summary>A folder is gone on with under another config: only what is new is measured, and all is as if it had been so from the
/// start.</summary>
public class SampleReuseTests
{
    private static readonly SweepTask Facts = new("facts", new FakeTask("facts", 3));
    private static readonly SweepTask MoreFacts = new("facts", new FakeTask("facts", 5));
    private static readonly SweepTask Counts = new("counts", new FakeTask("counts", 2));

    [Fact]
    public void Resume_WithATaskMore_MeasuresThatTask() => Measures(20, [Facts], [Counts, Facts]);

    [Fact]
    public void Resume_WithMoreSamples_MeasuresTheNewOnes() => Measures(20, [Facts, Counts], [MoreFacts, Counts]);

    [Fact]
    public void Resume_WithLess_MeasuresNothing() => Measures(0, [MoreFacts, Counts], [Facts]);

    /// <summary>Results keep the names that they were measured under.</summary>
    [Fact]
    public void Resume_RefusesOtherNames()
    {
        using var temp = new ScratchFolder();
        FakeSweep.Run(temp["run"], new FakeEngine());
        var task = Assert.Throws<ConfigException>(() => FakeSweep.Run(
            temp["run"], new FakeEngine(), resume: true, tasks: [new("renamed", new FakeTask("facts", 3)), Counts]));
        Assert.Equal($"{temp["run"]}: task 'renamed' is called 'facts' there; allowed: that name, or another --out", task.Message);

        var config = FakeSweep.Config();
        config = config with { Models = [config.Models[0], config.Models[1] with { Name = "renamed" }] };
        var engine = new FakeEngine { NameOfFiles = name => name == "renamed" ? "two" : name };
        var model = Assert.Throws<ConfigException>(() => FakeSweep.Run(temp["run"], engine, config, resume: true));
        Assert.Equal($"{temp["run"]}: model 'renamed' is called 'two' there; allowed: that name, or another --out", model.Message);
    }

    [Fact]
    public void Resume_WithAnotherScore_ScoresAnew()
    {
        var results = Measures(0, [Facts], [new("facts", new FakeTask("facts", 3, worth: 0.5))]);
        Assert.All(results.SelectMany(result => result.Scores[0].PerSample), score => Assert.True(score is 0 or 0.5));
    }

    [Fact]
    public void Resume_OnAnotherDevice_MeasuresAll() => Measures(50, [Facts], [Facts, Counts], new FakeEngine { Device = "other" });

    [Fact]
    public void Resume_WithAnotherSeed_MeasuresNothingThatIsTheSame()
    {
        using var temp = new ScratchFolder();
        FakeSweep.Run(temp["run"], new FakeEngine());
        var engine = new FakeEngine();
        var history = FakeSweep.Run(temp["run"], engine, FakeSweep.Config(seed: 8), resume: true);
        Assert.Equal((0, 8, FakeSweep.Trials), (engine.Generated, history.Seed, history.Results.Count));
    }

    [Fact]
    public void Resume_KilledAnywhere_EndsWithTheSame()
    {
        using var temp = new ScratchFolder();
        var whole = FakeSweep.WithoutTimes(FakeSweep.Run(temp["whole"], new FakeEngine(), tasks: [MoreFacts, Counts]));
        for (var kill = 0; kill < 20; kill += 3)
        {
            var folder = temp[$"run{kill}"];
            FakeSweep.Run(folder, new FakeEngine());
            var killed = new FakeEngine { Before = (number, _, _) => { if (number == kill) throw new TimeoutException(); } };
            Assert.Throws<TimeoutException>(() => FakeSweep.Run(folder, killed, resume: true, tasks: [MoreFacts, Counts]));
            var last = new FakeEngine();
            var history = FakeSweep.Run(folder, last, resume: true, tasks: [MoreFacts, Counts]);
            Assert.Equal((20 - kill, whole), (last.Generated, FakeSweep.WithoutTimes(history)));
        }
    }

    [Fact]
    public void Resume_WithFewerSettings_ReportsThese_AndWithAllAgainMeasuresNothing()
    {
        using var temp = new ScratchFolder();
        var whole = FakeSweep.WithoutTimes(FakeSweep.Run(temp["run"], new FakeEngine()));
        var fewer = FakeSweep.Run(temp["run"], new FakeEngine(), FakeSweep.Config("w4a16-k8v8-t64"), resume: true);
        Assert.Equal((4, 4), (fewer.Results.Count, fewer.Planned));
        Assert.Equal(6, Directory.GetFiles(temp["run/samples"]).Length - fewer.Results.Count);
        Assert.Matches(
            @"^samples/[0-9a-f]{16}\.jsonl, samples/[0-9a-f]{16}\.jsonl, samples/[0-9a-f]{16}\.jsonl and 3 more: not read, samples of an "
            + "earlier config; ", Assert.Single(fewer.Messages));

        var engine = new FakeEngine();
        var again = FakeSweep.Run(temp["run"], engine, resume: true);
        Assert.Equal((0, whole), (engine.Generated, FakeSweep.WithoutTimes(again)));
        Assert.Empty(again.Messages);
    }

    [Fact]
    public void Samples_SayWhereTheyWereMeasured()
    {
        using var temp = new ScratchFolder();
        var before = FakeSweep.Run(temp["run"], new FakeEngine(), tasks: [Facts]).Results[0];
        var after = FakeSweep.Run(temp["run"], new FakeEngine(), resume: true, tasks: [Facts, Counts]).Results[0];
        FakeSweep.Run(temp["run"], new FakeEngine(), resume: true, tasks: [Counts, MoreFacts]);
        var records = SampleLog.Read(RunPaths.Samples(temp["run"], after.TrialId)).Records;
        Assert.Equal(
            [before.TrialId, before.TrialId, before.TrialId, null, null], records.Select(record => record.MeasuredIn));
        Assert.Equal(5, records.Select(record => record.Address).Distinct().Count());
        var last = RunHistory.Read(temp["run"]).Results[0];
        Assert.Equal(
            [after.TrialId, after.TrialId, before.TrialId, before.TrialId, before.TrialId, null, null],
            SampleLog.Read(RunPaths.Samples(temp["run"], last.TrialId)).Records.Select(record => record.MeasuredIn));
    }

    [Fact]
    public void Resume_RefusesDamagedSamplesOfAnEarlierConfig()
    {
        using var temp = new ScratchFolder();
        var id = FakeSweep.Run(temp["run"], new FakeEngine(), tasks: [Facts]).Results[0].TrialId;
        var log = RunPaths.Samples(temp["run"], id);
        File.WriteAllText(log, File.ReadAllText(log).Replace("\"score\":1", "\"score\":0", StringComparison.Ordinal));
        var engine = new FakeEngine();
        var error = Assert.Throws<ConfigException>(() => FakeSweep.Run(temp["run"], engine, resume: true));
        Assert.StartsWith($"{log}:", error.Message, StringComparison.Ordinal);
        Assert.Equal(0, engine.Generated);
    }

    [Fact]
    public void Read_NamesFilesThatAreNotARuns()
    {
        using var temp = new ScratchFolder();
        FakeSweep.Run(temp["run"], new FakeEngine(), tasks: [Facts]);
        temp.Write("run/old.jsonl", "");
        temp.Write("run/samples/notes.txt", "");
        Assert.Equal(["old.jsonl, samples/notes.txt: not read, no file of a run"], RunHistory.Read(temp["run"]).Messages);
    }

    private static IReadOnlyList<TrialResult> Measures(
        int samples, IReadOnlyList<SweepTask> before, IReadOnlyList<SweepTask> after, FakeEngine? engine = null)
    {
        using var temp = new ScratchFolder();
        FakeSweep.Run(temp["run"], new FakeEngine(), tasks: before);
        engine ??= new FakeEngine();
        var history = FakeSweep.Run(temp["run"], engine, resume: true, tasks: after);
        Assert.Equal(samples, engine.Generated);
        var whole = FakeSweep.Run(temp["whole"], new FakeEngine(), tasks: after);
        Assert.Equal(FakeSweep.WithoutTimes(whole), FakeSweep.WithoutTimes(history));
        Assert.Equal(FakeSweep.WithoutTimes(whole), FakeSweep.WithoutTimes(RunHistory.Read(temp["run"])));
        return history.Results;
    }
}
