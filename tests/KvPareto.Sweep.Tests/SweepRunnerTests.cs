using KvPareto.Engine.Cache;
using KvPareto.Sweep.Journaling;
using KvPareto.Sweep.Results;
using KvPareto.Sweep.Running;
using KvPareto.Sweep.Runs;
using KvPareto.Testing;

namespace KvPareto.Sweep.Tests;

public partial class SweepRunnerTests
{
    private sealed class Killed : Exception;

    private sealed class Recorder : IProgress<SweepEvent>
    {
        public List<SweepEvent> Events { get; } = [];

        public void Report(SweepEvent value) => Events.Add(value);
    }

    private sealed class Signal(ManualResetEventSlim waiting) : IProgress<SweepEvent>
    {
        public void Report(SweepEvent value)
        {
            if (value is SweepWaiting { Trials: 1 }) waiting.Set();
        }
    }

    [Fact]
    public void Run_GivesEveryTrialInTheConfigsOrder()
    {
        using var temp = new ScratchFolder();
        var engine = new FakeEngine();
        var history = FakeSweep.Run(temp["run"], engine);

        Assert.Equal(FakeSweep.Trials, history.Planned);
        Assert.Equal(FakeSweep.Samples, engine.Generated);
        Assert.Equal(
            ["one w16a16-k16v16", "one w4a16-k8v8-t64", "one w16a16-k8v8-t64", "one w4a16-k2v2-t64", "one w16a16-k4v4-t64"],
            history.Results.Take(5).Select(result => $"{result.Model} {result.Setting}"));
        Assert.All(history.Results, result => Assert.Equal((TrialStatus.Ok, 5), (result.Status, result.Samples)));
        Assert.Equal(("fake", 7, "w16a16-k16v16"), (history.Name, history.Seed, history.Baseline));
    }

    [Fact]
    public void Run_LoadsEachModelOnceForEachWeightPrecision()
    {
        using var temp = new ScratchFolder();
        var engine = new FakeEngine();
        FakeSweep.Run(temp["run"], engine);
        Assert.Equal(["one w16", "one w4", "two w16", "two w4"], engine.Loads);
        Assert.Equal(0, engine.Live);
    }

    [Fact]
    public void Run_KilledAtAnySample_EndsWithTheSameResults()
    {
        using var temp = new ScratchFolder();
        var whole = FakeSweep.WithoutTimes(FakeSweep.Run(temp["whole"], new FakeEngine()));
        for (var kill = 0; kill < FakeSweep.Samples; kill++)
        {
            var folder = temp[$"killed{kill}"];
            Assert.Throws<Killed>(() => FakeSweep.Run(folder, KilledAt(kill)));
            Tear(folder);

            var engine = new FakeEngine();
            var resumed = FakeSweep.Run(folder, engine, resume: true);
            Assert.Equal(whole, FakeSweep.WithoutTimes(resumed));
            Assert.Equal(FakeSweep.Samples - kill, engine.Generated);
            Assert.Equal(whole, FakeSweep.WithoutTimes(RunHistory.Read(folder)));
        }
    }

    [Fact]
    public void Run_KilledBeforeATrialsEndIsWritten_MeasuresNothingAgain()
    {
        using var temp = new ScratchFolder();
        var whole = FakeSweep.WithoutTimes(FakeSweep.Run(temp["run"], new FakeEngine()));
        var journal = temp["run/journal.jsonl"];
        var lines = File.ReadAllLines(journal);
        File.WriteAllText(journal, string.Join('\n', lines[..^1]) + "\n" + lines[^1][..40]);

        var engine = new FakeEngine();
        Assert.Equal(whole, FakeSweep.WithoutTimes(FakeSweep.Run(temp["run"], engine, resume: true)));
        Assert.Equal((0, 0), (engine.Generated, engine.Loads.Count));
    }

    [Fact]
    public void Run_WritesTheSameBytesTwice_TimesApart()
    {
        using var temp = new ScratchFolder();
        FakeSweep.Run(temp["a"], new FakeEngine());
        FakeSweep.Run(temp["b"], new FakeEngine());
        foreach (var file in Directory.GetFiles(temp["a/samples"]))
            Assert.Equal(File.ReadAllBytes(file), File.ReadAllBytes(temp[Path.Combine("b", "samples", Path.GetFileName(file))]));
        Assert.Equal(FakeSweep.Trials, Directory.GetFiles(temp["a/samples"]).Length);
    }

    [Fact]
    public void Run_GoesOnAfterAFailedTrial()
    {
        using var temp = new ScratchFolder();
        var engine = new FakeEngine
        {
            Before = (_, setting, sample) =>
            {
                if (setting.Cache.Keys.Bits == 2 && sample.Id == "facts-2")
                    throw new NotFiniteNumberException("logit 5 of step 1\nis not a number");
                if (setting.Cache.Keys.Bits == 4) throw new InsufficientMemoryException("no 7 GiB");
            },
        };
        var history = FakeSweep.Run(temp["run"], engine);

        var failed = history.Results.Where(result => result.Status == TrialStatus.Failed).ToArray();
        Assert.Equal(4, failed.Length);
        Assert.Equal("not a number: logit 5 of step 1 is not a number", failed[0].Failure);
        Assert.Equal((2, 0, null), (failed[0].Samples, failed[0].Scores.Count, failed[0].Score));
        Assert.Equal("out of memory: no 7 GiB", failed[1].Failure);
        Assert.Equal(6, history.Results.Count(result => result.Status == TrialStatus.Ok));
        Assert.Equal(FakeSweep.WithoutTimes(history), FakeSweep.WithoutTimes(RunHistory.Read(temp["run"])));
    }

    [Fact]
    public void Run_GoesOnAfterATrialThatIsTooLong()
    {
        using var temp = new ScratchFolder();
        var engine = new FakeEngine
        {
            Before = (_, setting, _) => { if (setting.Cache.Keys.Bits == 2) throw new CapacityException("the cache holds 4 of 4 tokens"); },
        };
        var failures = FakeSweep.Run(temp["run"], engine).Results.Select(result => result.Failure).OfType<string>().ToArray();
        Assert.Equal(2, failures.Length);
        Assert.All(failures, failure => Assert.Equal("too long: the cache holds 4 of 4 tokens", failure));
    }

    /// <summary>A refusal of the seam inside a trial is a defect: it must not pass for a setting's failure.</summary>
    [Fact]
    public void Run_EndsWithADefect_AndResumesAfterIt()
    {
        using var temp = new ScratchFolder();
        var engine = new FakeEngine
        {
            Before = (_, setting, _) => { if (setting.Cache.Keys.Bits == 2) throw new ArgumentException("y is [T, N]"); },
        };
        Assert.Throws<ArgumentException>(() => FakeSweep.Run(temp["run"], engine));
        Assert.DoesNotContain(RunHistory.Read(temp["run"]).Results, result => result.Status == TrialStatus.Failed);

        var history = FakeSweep.Run(temp["run"], new FakeEngine(), resume: true);
        Assert.Equal(FakeSweep.Trials, history.Results.Count(result => result.Status == TrialStatus.Ok));
    }

    [Fact]
    public void Run_GoesOnAfterAFailedLoad()
    {
        using var temp = new ScratchFolder();
        var engine = new FakeEngine
        {
            BeforeLoad = weights => { if (weights.Bits == 16) throw new InsufficientMemoryException("weights"); },
        };
        var history = FakeSweep.Run(temp["run"], engine);
        Assert.Equal(6, history.Results.Count(result => result.Failure == "out of memory: weights"));
        Assert.Equal(4, history.Results.Count(result => result.Status == TrialStatus.Ok));
    }

    [Fact]
    public void Run_TriesAFailedTrialAgainOnlyWhenAsked()
    {
        using var temp = new ScratchFolder();
        var whole = FakeSweep.WithoutTimes(FakeSweep.Run(temp["whole"], new FakeEngine()));
        FakeSweep.Run(temp["run"], FakeEngine.FailingAtTwoBits());

        var resumed = new FakeEngine();
        Assert.Equal(2, FakeSweep.Run(temp["run"], resumed, resume: true).Results.Count(result => result.Status == TrialStatus.Failed));
        Assert.Equal(0, resumed.Generated);

        var retried = new FakeEngine();
        Assert.Equal(whole, FakeSweep.WithoutTimes(FakeSweep.Run(temp["run"], retried, resume: true, retryFailed: true)));
        Assert.Equal(10, retried.Generated);
    }

    [Fact]
    public void Run_AddsSettingsToAnEarlierRun()
    {
        using var temp = new ScratchFolder();
        FakeSweep.Run(temp["run"], new FakeEngine(), FakeSweep.Config("w4a16-k8v8-t64, w16a16-k8v8-t64"));
        var engine = new FakeEngine();
        var history = FakeSweep.Run(temp["run"], engine, resume: true);
        Assert.Equal(20, engine.Generated);
        using var fresh = new ScratchFolder();
        Assert.Equal(FakeSweep.WithoutTimes(FakeSweep.Run(fresh["run"], new FakeEngine())), FakeSweep.WithoutTimes(history));
        Assert.Contains("\"seed\": 7", File.ReadAllText(temp["run/run.json"]), StringComparison.Ordinal);
    }

    [Fact]
    public void Run_TellsEveryStep()
    {
        using var temp = new ScratchFolder();
        Assert.Throws<Killed>(() => FakeSweep.Run(temp["run"], KilledAt(7)));
        var recorder = new Recorder();
        FakeSweep.Run(temp["run"], new FakeEngine(), resume: true, progress: recorder);

        Assert.Equal(new SweepPlanned(10, 1, 50, 5) { Name = "fake", Folder = temp["run"] }, recorder.Events[0]);
        Assert.Equal(new TrialBegun(2, 10, "one", "w16a16-k8v8-t64", 5, 2), recorder.Events[1]);
        var samples = recorder.Events.OfType<SampleMeasured>().ToArray();
        Assert.Equal((43, 3, 8L, 50L), (samples.Length, samples[0].TrialSamplesDone, samples[0].SamplesDone, samples[^1].SamplesDone));
        Assert.Equal(9, recorder.Events.OfType<TrialEnded>().Count());
    }

    [Fact]
    public void Run_CountsARefusedTrialsSamplesAsDone()
    {
        using var temp = new ScratchFolder();
        var recorder = new Recorder();
        FakeSweep.Run(temp["run"], FakeEngine.FailingAtTwoBits(), progress: recorder);
        Assert.Equal(50, recorder.Events.OfType<TrialEnded>().Last().SamplesDone);
    }

    [Fact]
    public void Run_RepeatsForTimesOnly()
    {
        using var temp = new ScratchFolder();
        var engine = new FakeEngine();
        var thrice = FakeSweep.Run(temp["thrice"], engine, FakeSweep.Config(repeats: 3));
        Assert.Equal(3 * FakeSweep.Samples, engine.Generated);
        Assert.Equal(FakeSweep.WithoutTimes(FakeSweep.Run(temp["once"], new FakeEngine())), FakeSweep.WithoutTimes(thrice));
    }

    [Fact]
    public void Run_MeasuresTheBaselineAgainInAnotherOrder()
    {
        using var temp = new ScratchFolder();
        List<string> order = [];
        var engine = new FakeEngine { Before = (_, setting, sample) => order.Add(setting.Name + " " + sample.Id) };
        var history = FakeSweep.Run(temp["run"], engine, FakeSweep.Config("w16a16-k8v8-t64", baselineRepeats: 2));

        Assert.Equal((4, 4), (history.Results.Count, history.Repeats.Count));
        Assert.Equal(8, history.Planned);
        Assert.Equal([1, 2, 1, 2], history.Repeats.Select(repeat => repeat.Repeat));
        var baseline = history.Results.First(result => result.Setting == "w16a16-k16v16");
        foreach (var repeat in history.Repeats.Where(repeat => repeat.Model == baseline.Model))
        {
            Assert.NotEqual(baseline.TrialId, repeat.TrialId);
            Assert.Equal((baseline.Setting, baseline.Score), (repeat.Setting, repeat.Score));
            Assert.Equal(baseline.Scores.SelectMany(task => task.PerSample), repeat.Scores.SelectMany(task => task.PerSample));
        }
        var (first, second, third) = (order[..5], order[5..10], order[10..15]);
        Assert.Equal(first.Order(), second.Order());
        Assert.NotEqual(first, second);
        Assert.NotEqual(second, third);

        var again = new FakeEngine();
        FakeSweep.Run(temp["run"], again, FakeSweep.Config("w16a16-k8v8-t64", baselineRepeats: 2), resume: true);
        Assert.Equal(0, again.Generated);
    }

    [Fact]
    public void RunFile_SaysWhatWasRun()
    {
        using var temp = new ScratchFolder();
        FakeSweep.Run(temp["run"], new FakeEngine());
        var (run, isSealed) = RunFile.TryRead(temp["run"])!.Value;
        Assert.True(isSealed);
        Assert.Equal(FakeSweep.Config().Source, run.Config);
        Assert.Equal(["one", "two"], run.Models.Select(model => model.Name));
        Assert.Equal(["facts", "counts"], run.Tasks.Select(task => task.Name));
        Assert.Equal((FakeSweep.Trials, "fake"), (run.Trials.Count, run.Host.Backend));
        Assert.Matches("^[0-9]+\\.[0-9]+", run.Host.Version);
    }

    private static FakeEngine KilledAt(int sample) => new()
    {
        Before = (number, _, _) => { if (number == sample) throw new Killed(); },
    };

    // What a power cut may leave: half a line at the end of each file.
    private static void Tear(string folder)
    {
        foreach (var file in Directory.GetFiles(folder, "*.jsonl", SearchOption.AllDirectories))
            File.AppendAllText(file, "{\"event\":\"fini");
    }
}
