using KvPareto.Engine.Settings;
using KvPareto.Sweep.Answers.Checks;
using KvPareto.Sweep.Cluster;
using KvPareto.Sweep.Config;
using KvPareto.Sweep.Journaling;
using KvPareto.Sweep.Reports;
using KvPareto.Sweep.Results;
using KvPareto.Sweep.Runs;
using KvPareto.Sweep.Trials;
using KvPareto.Testing;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Tests.Search;

/// <summary>Whole sweeps under searches that leave settings out.</summary>
public class SearchSweepTests
{
    private const string Halving = "{kind: halving, margin: 1, levels: 3}";
    private const string Bad = "w16a16-k8v8-t64";
    private const int Attempts = 5;

    private static readonly IReadOnlyList<SweepTask> Tasks =
        [new("facts", new FakeTask("facts", 16)), new("counts", new FakeTask("counts", 8))];

    private sealed class Killed : Exception;

    // Heavier than the 4-bit settings, and worse.
    private static double Skill(InferenceSetting setting) => setting.Name == Bad ? 0.1 : setting.Cache.Keys.Bits == 2 ? 0.3 : 0.95;

    private static FakeEngine Engine() => new() { Skill = Skill };

    private static RunHistory Run(
        string folder, FakeEngine engine, string search = Halving, bool resume = false, string? worker = null, string? settings = null) =>
        FakeSweep.Run(folder, engine, FakeSweep.Config(settings ?? FakeSweep.AllSettings, search: search), resume, worker, tasks: Tasks);

    [Fact]
    public void Halving_DropsWhatLoses_AndSaysWhy()
    {
        using var temp = new ScratchFolder();
        var engine = Engine();
        var history = Run(temp["run"], engine);
        var dropped = history.Results.Where(result => result.Status == TrialStatus.Dropped).ToList();
        Assert.Equal([("one", Bad), ("two", Bad)], dropped.Select(result => (result.Model, result.Setting)));
        Assert.All(dropped, result =>
        {
            Assert.Contains("which is at most as heavy", result.Failure, StringComparison.Ordinal);
            Assert.Equal((0, null, true), (result.Scores.Count, result.Score, result.Samples is > 0 and < 24));
        });
        Assert.Equal(8, history.Results.Count(result => result is { Status: TrialStatus.Ok, Samples: 24 }));
        Assert.Empty(history.Missing);
        Assert.Equal(8 * 24 + dropped.Sum(result => result.Samples), engine.Generated);
        Assert.Equal((10, 8, 2, 0), Counts(RunProgress.Read(temp["run"])));

        static (int, int, int, int) Counts(RunProgress progress) =>
            (progress.Planned, progress.Done, progress.Dropped, progress.Waiting + progress.Failed.Count);
    }

    [Fact]
    public void Halving_KilledAtAnySample_EndsWithTheSameResults()
    {
        using var temp = new ScratchFolder();
        var engine = Engine();
        var whole = FakeSweep.WithoutTimes(Run(temp["whole"], engine));
        for (var kill = 0; kill < engine.Generated; kill += 31)
        {
            var (folder, first, second) = (temp[$"killed{kill}"], Engine(), Engine());
            first.Before = (number, _, _) => { if (number == kill) throw new Killed(); };
            Assert.Throws<Killed>(() => Run(folder, first));
            Assert.Equal(whole, FakeSweep.WithoutTimes(Run(folder, second, resume: true)));
            Assert.Equal(engine.Generated - kill, second.Generated);
            Assert.Equal(whole, FakeSweep.WithoutTimes(RunHistory.Read(folder)));
        }
    }

    [Fact]
    public void Halving_WorkersAtOnce_EndWithTheSameResults()
    {
        using var temp = new ScratchFolder();
        var single = Engine();
        var whole = FakeSweep.WithoutTimes(Run(temp["whole"], single));
        var engines = Enumerable.Range(0, 4).Select(_ => Engine()).ToArray();
        Parallel.For(0, engines.Length, i => Run(temp["run"], engines[i], worker: $"w{i}"));
        Assert.Equal(whole, FakeSweep.WithoutTimes(RunHistory.Read(temp["run"])));
        Assert.Equal(single.Generated, engines.Sum(engine => engine.Generated));
    }

    /// <summary>What a search asks for now of a trial is shared too, and nothing more of it is measured.</summary>
    [Theory]
    [InlineData(Halving)]
    [InlineData("{kind: predict, probes: 2, batch: 1}")]
    public async Task Searches_WhoseTrialsAreShared_MeasureWhatOneWorkerWould(string search)
    {
        using var temp = new ScratchFolder();
        var single = Engine();
        var whole = FakeSweep.WithoutTimes(Run(temp["whole"], single, search));
        // On a loaded machine an idle worker may come too late to help.
        for (var (attempt, helped) = (0, false); !helped; attempt++)
        {
            Assert.True(attempt < Attempts, "no worker helped");
            helped = await IsHelped(temp[$"run{attempt}"]);
        }

        async Task<bool> IsHelped(string folder)
        {
            var engines = Enumerable.Range(0, 3).Select(_ => Engine()).ToArray();
            using var helped = new ManualResetEventSlim();
            // Until one has helped, slow enough for an idle worker to be there before a trial is over.
            foreach (var engine in engines)
                engine.Before = (_, _, _) => { for (var wait = 0; wait < 10 && !HasHelped(folder, helped); wait++) helped.Wait(5); };
            // Threads of their own: a pool would begin with as many as there are cores.
            await Task.WhenAll(engines.Select((engine, i) => Task.Factory.StartNew(
                () => Run(folder, engine, search, worker: $"w{i}"), TestContext.Current.CancellationToken, TaskCreationOptions.LongRunning,
                TaskScheduler.Default)));
            Assert.Equal(whole, FakeSweep.WithoutTimes(RunHistory.Read(folder)));
            Assert.Equal(single.Generated, engines.Sum(engine => engine.Generated));
            Assert.Empty(RunPaths.HelperLogs(folder));
            return helped.IsSet;
        }

        static bool HasHelped(string folder, ManualResetEventSlim helped)
        {
            if (!helped.IsSet && RunPaths.HelperLogs(folder).Count > 0) helped.Set();
            return helped.IsSet;
        }
    }

    [Fact]
    public void Exhaustive_AfterHalving_MeasuresWhatWasDropped()
    {
        using var temp = new ScratchFolder();
        var whole = FakeSweep.WithoutTimes(Run(temp["whole"], Engine(), "exhaustive"));
        var (first, second) = (Engine(), Engine());
        Run(temp["run"], first);
        Assert.Equal(whole, FakeSweep.WithoutTimes(Run(temp["run"], second, "exhaustive", resume: true)));
        Assert.Equal(240, first.Generated + second.Generated);
    }

    /// <summary>What a setting was dropped for may not be there any more.</summary>
    [Fact]
    public void Halving_WithOtherSettings_DecidesAnew()
    {
        using var temp = new ScratchFolder();
        Run(temp["run"], Engine());
        var history = Run(temp["run"], Engine(), settings: Bad, resume: true);
        Assert.Equal(
            ["w16a16-k16v16 ok", $"{Bad} ok"], history.Results.Take(2).Select(result => $"{result.Setting} {result.Status}"));
    }

    [Fact]
    public void Halving_AFailureDropsNothing()
    {
        using var temp = new ScratchFolder();
        var engine = new FakeEngine
        {
            Skill = Skill,
            Before = (_, setting, sample) =>
            {
                if (setting.Name != Bad && setting.Name != "w16a16-k16v16" && sample.Id == "facts-15")
                    throw new NotFiniteNumberException("NaN");
            },
        };
        var history = Run(temp["run"], engine);
        Assert.Equal(
            ["w16a16-k16v16 ok", "w4a16-k8v8-t64 failed", $"{Bad} ok", "w4a16-k2v2-t64 failed", "w16a16-k4v4-t64 failed"],
            history.Results.Take(5).Select(result => $"{result.Setting} {result.Status}"));
    }

    [Fact]
    public void Probes_AreNoTrialsOfTheSweep()
    {
        using var temp = new ScratchFolder();
        var plain = Run(temp["plain"], Engine(), "exhaustive");
        var engine = Engine();
        var history = Run(temp["run"], engine, "{kind: exhaustive, probes: 3}");
        Assert.Equal(FakeSweep.WithoutTimes(plain), FakeSweep.WithoutTimes(history));
        Assert.Equal(240 + 10 * 3, engine.Generated);
        Assert.Equal(20, RunProgress.Read(temp["run"]).Done);
        Run(temp["run"], engine, "{kind: exhaustive, probes: 3}", resume: true);
        Assert.Equal(270, engine.Generated);
    }

    [Theory]
    [InlineData("{kind: predict, probes: 2, batch: 1}")]
    [InlineData("{kind: nsga2, population: 2, generations: 2}")]
    public void Searches_KilledOrShared_EndWithTheSameResults(string search)
    {
        using var temp = new ScratchFolder();
        var engine = Engine();
        var history = Run(temp["whole"], engine, search);
        var whole = FakeSweep.WithoutTimes(history);
        Assert.Contains(history.Results, result => result.Status == TrialStatus.Dropped);
        Assert.Empty(history.Missing);
        for (var kill = 3; kill < engine.Generated; kill += 61)
        {
            var (folder, first, second) = (temp[$"killed{kill}"], Engine(), Engine());
            first.Before = (number, _, _) => { if (number == kill) throw new Killed(); };
            Assert.Throws<Killed>(() => Run(folder, first, search));
            Assert.Equal(whole, FakeSweep.WithoutTimes(Run(folder, second, search, resume: true)));
            Assert.Equal(engine.Generated - kill, second.Generated);
        }
        var engines = Enumerable.Range(0, 3).Select(_ => Engine()).ToArray();
        Parallel.For(0, engines.Length, i => Run(temp["run"], engines[i], search, worker: $"w{i}"));
        Assert.Equal(whole, FakeSweep.WithoutTimes(RunHistory.Read(temp["run"])));
        Assert.Equal(engine.Generated, engines.Sum(one => one.Generated));
    }

    [Fact]
    public void Predict_LeavesOutWhatDivergesMoreThanALighterSetting()
    {
        using var temp = new ScratchFolder();
        var history = Run(temp["run"], Engine(), "{kind: predict, probes: 2, batch: 1}");
        var dropped = history.Results.Where(result => result.Status == TrialStatus.Dropped).ToList();
        // The second diverges as much as the lighter w4a16-k8v8-t64.
        Assert.Equal([Bad, "w16a16-k4v4-t64", Bad, "w16a16-k4v4-t64"], dropped.Select(result => result.Setting));
        Assert.StartsWith("at a divergence of 0.9 nats a score of ", dropped[0].Failure, StringComparison.Ordinal);
        Assert.Equal(2, history.Remarks.Count);
        Assert.StartsWith(
            "one: KL divergence and score of 3 settings have rank correlation -", history.Remarks[0], StringComparison.Ordinal);
    }

    [Fact]
    public void Predict_DoesNotTryWhatCannotFit()
    {
        using var temp = new ScratchFolder();
        var engine = new FakeEngine { Skill = Skill, Room = 5, Predicting = trial => trial.Spec.Setting.Name == Bad ? 6 : null };
        var history = Run(temp["run"], engine, "{kind: predict, probes: 2, batch: 1}");
        var failed = history.Results.Where(result => result.Status == TrialStatus.Failed).ToList();
        Assert.Equal([(Bad, 0), (Bad, 0)], failed.Select(result => (result.Setting, result.Samples)));
        Assert.Empty(history.Missing);
        Assert.Equal(0, RunProgress.Read(temp["run"]).Waiting);
    }

    [Theory]
    [InlineData("exhaustive")]
    [InlineData(Halving)]
    [InlineData("{kind: predict, probes: 2, batch: 1}")]
    public void Budget_EndsBetweenTwoSamples_AndTheRunGoesOn(string search)
    {
        using var temp = new ScratchFolder();
        var whole = FakeSweep.WithoutTimes(Run(temp["whole"], Engine(), search));
        var (first, second) = (Engine(), Engine());
        var budget = TimeSpan.FromMilliseconds(300);
        var clock = new ManualClock();
        // The sample that is being measured when the time is over is kept.
        first.Before = (number, _, _) => { if (number == 5) clock.Elapsed = budget; };
        var config = FakeSweep.Config(FakeSweep.AllSettings, search: search);
        var history = FakeSweep.Run(temp["run"], first, config, tasks: Tasks, budget: budget, clock: clock);
        Assert.InRange(first.Generated, 5, 6);
        Assert.NotEmpty(history.Missing);
        Assert.Equal("the budget of 8.333E-05 hours was over before everything was measured", history.Remarks[0]);
        Assert.Equal(whole, FakeSweep.WithoutTimes(Run(temp["run"], second, search, resume: true)));
        var alone = Engine();
        Run(temp["alone"], alone, search);
        Assert.Equal(alone.Generated, first.Generated + second.Generated);
    }

    [Fact]
    public void Reports_TellDroppedFromFailed()
    {
        using var temp = new ScratchFolder();
        var engine = new FakeEngine
        {
            Skill = Skill,
            Before = (_, setting, _) => { if (setting.Cache.Keys.Bits == 2) throw new NotFiniteNumberException("NaN"); },
        };
        var history = Run(temp["run"], engine);
        var summary = ReportWriter.Write(temp["run"], history.Results, new()
        { Run = history.Name, Baseline = history.Baseline, Seed = 1, Resamples = 10, Html = true });
        Assert.All(summary.Models, model => Assert.Equal((3, 1, 1), (model.Points, model.FailedTrials, model.Dropped)));
        Assert.Equal(
            [$"{Bad} True", "w4a16-k2v2-t64 False"],
            summary.Rows.Where(row => row is { Model: "one", Failure: not null }).Select(row => $"{row.Setting} {row.IsDropped}").Order());
        var results = File.ReadAllLines(temp["run/results.csv"]);
        Assert.Equal(2, results.Count(line => line.Contains(",dropped,\"after ", StringComparison.Ordinal)
            || line.Contains(",dropped,after ", StringComparison.Ordinal)));
        var page = File.ReadAllText(temp["run/report.html"]);
        Assert.Contains("\"dropped\":[{\"setting\":\"" + Bad, page, StringComparison.Ordinal);
        Assert.DoesNotContain($",{Bad},", File.ReadAllText(temp["run/frontier.csv"]), StringComparison.Ordinal);
    }

    [Fact]
    public void Check_MissesWhatWasDroppedFromTheFrontierAlone()
    {
        using var temp = new ScratchFolder();
        var before = Run(temp["before"], Engine(), "exhaustive");
        ReportWriter.Write(temp["before"], before.Results, new()
        { Run = before.Name, Baseline = before.Baseline, Seed = 1, Resamples = 10, Html = false });
        var now = Run(temp["now"], Engine());
        var earlier = File.ReadAllText(temp["before/results.csv"]);
        var check = FrontierCheck.Of(now, temp["before/results.csv"], 1);
        Assert.Equal((8, 0), (check.Points.Count, check.Points.Count(point => point.Worse.Count > 0)));
        Assert.Equal(
            "not compared: 2 settings dropped by the search, not on the frontier of the earlier file", check.Messages[0]);

        var columns = earlier.Split('\n')[0].Split(',');
        var lines = earlier.Split('\n').Select(line =>
        {
            var cells = line.Split(',');
            if (cells.Length > 3 && (cells[1], cells[3]) == ("one", Bad)) cells[Array.IndexOf(columns, "frontier")] = "true";
            return string.Join(',', cells);
        });
        var missed = FrontierCheck.Of(now, temp.Write("edited.csv", string.Join('\n', lines)), 1).Points
            .Single(point => point.Worse.Count > 0);
        Assert.Equal(("one", Bad), (missed.Model, missed.Setting));
        Assert.StartsWith("dropped: after ", missed.Worse[0], StringComparison.Ordinal);
    }

    [Fact]
    public void Run_RefusesToChooseWithoutAScore()
    {
        using var temp = new ScratchFolder();
        var unscored = new[] { SweepTask.Of(FakeSweepCosts())[0] };
        var error = Assert.Throws<ConfigException>(
            () => FakeSweep.Run(temp["run"], Engine(), FakeSweep.Config(search: "halving"), tasks: unscored));
        Assert.Equal(
            "fake.yaml:8: key 'search' is halving, which has no score to choose by; allowed: beside a task that is scored, or exhaustive",
            error.Message);
    }

    private static SweepConfig FakeSweepCosts() => SweepConfigReader.Read("costs.yaml", """
        models: [embedded:llama]
        tasks: [{task: prompt, length: 5}]
        settings: [w16a16-k8v8-t64]
        """, AppContext.BaseDirectory, []);

    private sealed class ManualClock : TimeProvider
    {
        public TimeSpan Elapsed { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Elapsed.Ticks;
    }
}
