using KvPareto.Sweep.Cluster;
using KvPareto.Sweep.Journaling;
using KvPareto.Sweep.Running;
using KvPareto.Sweep.Runs;
using KvPareto.Sweep.Trials;
using KvPareto.Tasks;
using KvPareto.Testing;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Tests;

/// <summary>A sweep of the first samples of each task, later of more of them.</summary>
public class LimitTests
{
    private const string Message = "a limited run: at most 2 samples of each task (--limit); --resume --limit all measures the others";

    private static readonly IReadOnlyList<SweepTask> Tasks =
        [new("facts", new FakeTask("facts", 5)), new("counts", new FakeTask("counts", 2))];

    [Fact]
    public void Run_MeasuresNoMore_AndSaysSoEverywhere()
    {
        using var temp = new ScratchFolder();
        var engine = new FakeEngine();
        var recorder = new Events();
        var history = FakeSweep.Run(temp["run"], engine, tasks: Tasks, limit: 2, progress: recorder);
        Assert.Equal(FakeSweep.Trials * 4, engine.Generated);
        Assert.All(history.Results, result => Assert.Equal((4, 2), (result.Samples, result.Limit)));
        Assert.Equal([Message], history.Messages);
        Assert.Equal((2, "fake, at most 2 samples of each task"), (history.Limit, history.Heading));
        Assert.Equal(2, Assert.IsType<SweepPlanned>(recorder.All[0]).Limit);
        Assert.Equal(2, RunProgress.Read(temp["run"]).Limit);
        Assert.Equal(2, RunFile.TryRead(temp["run"])!.Value.Run.Limit);
        Assert.Contains(Message, RunMerge.Read([temp["run"]]).Messages);
    }

    [Theory]
    [InlineData(1, 2, 2)]
    [InlineData(2, 3, 1)]
    [InlineData(2, 4, 2)]
    [InlineData(1, null, 5)]
    [InlineData(5, 2, 0)]
    [InlineData(5, null, 0)]
    public void Raised_MeasuresTheNewOnesAlone(int first, int? then, int newOnes)
    {
        using var temp = new ScratchFolder();
        FakeSweep.Run(temp["run"], new FakeEngine(), tasks: Tasks, limit: first);
        var engine = new FakeEngine();
        var history = FakeSweep.Run(temp["run"], engine, resume: true, tasks: Tasks, limit: then);
        Assert.Equal(newOnes * FakeSweep.Trials, engine.Generated);
        var whole = FakeSweep.Run(temp["whole"], new FakeEngine(), tasks: Tasks, limit: then);
        Assert.Equal(FakeSweep.WithoutTimes(whole), FakeSweep.WithoutTimes(history));
        Assert.Equal(then, history.Limit);
    }

    /// <summary>Where no task has more, the run is the whole one, and its trials are the same.</summary>
    [Fact]
    public void NotReached_IsNone()
    {
        using var temp = new ScratchFolder();
        var whole = FakeSweep.Run(temp["whole"], new FakeEngine(), tasks: Tasks);
        var history = FakeSweep.Run(temp["run"], new FakeEngine(), tasks: Tasks, limit: 5);
        Assert.Equal(FakeSweep.WithoutTimes(whole), FakeSweep.WithoutTimes(history));
        Assert.Equal((null, "fake", 0), (history.Limit, history.Heading, history.Messages.Count));
    }

    [Fact]
    public void LimitedTasks_AreOtherTasks_AndUncutOnesAreNot()
    {
        using var temp = new ScratchFolder();
        var whole = FakeSweep.Run(temp["whole"], new FakeEngine(), tasks: Tasks).Results[0];
        var history = FakeSweep.Run(temp["run"], new FakeEngine(), tasks: Tasks, limit: 2).Results[0];
        Assert.NotEqual(whole.TrialId, history.TrialId);
        Assert.NotEqual(whole.Scores[0].Digest, history.Scores[0].Digest);
        Assert.Equal(whole.Scores[1].Digest, history.Scores[1].Digest);
    }

    [Fact]
    public void KilledAnywhere_EndsWithTheSame()
    {
        using var temp = new ScratchFolder();
        var whole = FakeSweep.WithoutTimes(FakeSweep.Run(temp["whole"], new FakeEngine(), tasks: Tasks, limit: 3));
        for (var kill = 0; kill < 50; kill += 7)
        {
            var killed = new FakeEngine { Before = (number, _, _) => { if (number == kill) throw new TimeoutException(); } };
            Assert.Throws<TimeoutException>(() => FakeSweep.Run(temp[$"run{kill}"], killed, tasks: Tasks, limit: 3));
            var resumed = FakeSweep.Run(temp[$"run{kill}"], new FakeEngine(), resume: true, tasks: Tasks, limit: 3);
            Assert.Equal(whole, FakeSweep.WithoutTimes(resumed));
        }
    }

    /// <summary>Each part has its first sample before any has its second; a higher limit keeps those of a lower one.</summary>
    [Fact]
    public void Prepared_TakesOfAllPartsInTurn()
    {
        var samples = "aaabbc".Select((part, index) => new TaskSample
        {
            Id = $"{part}{index}",
            Part = $"{part}",
            PromptIds = [1],
            MaxNewTokens = 1,
            Answers = [],
        }).ToArray();
        string Chosen(int? limit) => string.Join(' ',
            new SweepTask("t", new FakeTask("t", 1)) { Limit = limit }.Prepared(samples).Samples.Select(sample => sample.Id));
        Assert.Equal("a0", Chosen(1));
        Assert.Equal("a0 b3", Chosen(2));
        Assert.Equal("a0 b3 c5", Chosen(3));
        Assert.Equal("a0 a1 b3 b4 c5", Chosen(5));
        Assert.Equal("a0 a1 a2 b3 b4 c5", Chosen(6));
        Assert.Equal(Chosen(6), Chosen(null));
    }

    [Fact]
    public void Run_RefusesNone()
    {
        using var temp = new ScratchFolder();
        var error = Assert.Throws<ConfigException>(() => SweepRunner.Run(
            FakeSweep.Config(), new() { Backend = null!, Folder = temp["run"], Limit = 0 }));
        Assert.Equal("--limit 0; allowed: 1 or more samples of each task, or all", error.Message);
    }

    private sealed class Events : IProgress<SweepEvent>
    {
        public List<SweepEvent> All { get; } = [];

        public void Report(SweepEvent value) => All.Add(value);
    }
}
