using System.Text;
using KvPareto.Cpu;
using KvPareto.Sweep.Config;
using KvPareto.Sweep.Frontier;
using KvPareto.Sweep.Reports;
using KvPareto.Sweep.Reports.Pictures;
using KvPareto.Sweep.Results;
using KvPareto.Sweep.Runs;
using KvPareto.Sweep.Trials;
using KvPareto.Testing;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Tests;

public class ContextSweepTests
{
    private static readonly SweepTask[] Tasks =
    [
        new("facts", new FakeTask("facts at 4000", 3)) { Context = 4000 },
        new("counts", new FakeTask("counts at 4000", 2)) { Context = 4000 },
        new("facts", new FakeTask("facts at 10500", 3)) { Context = 10500 },
        new("counts", new FakeTask("counts at 10500", 2)) { Context = 10500 },
        new("rows", new FakeTask("rows", 4)),
    ];

    [Fact]
    public void Run_MeasuresEachSettingAtEachContext_LoadingEachModelOnce()
    {
        using var temp = new ScratchFolder();
        var engine = new FakeEngine();
        var history = FakeSweep.Run(temp["run"], engine, FakeSweep.Config("w4a16-k4v4-t64"), tasks: Tasks);
        Assert.Equal(["one w16", "one w4", "two w16", "two w4"], engine.Loads);
        Assert.Equal(
            [
                "one w16a16-k16v16 at 4k", "one w4a16-k4v4-t64 at 4k", "one w16a16-k16v16 at 10500", "one w4a16-k4v4-t64 at 10500",
                "one w16a16-k16v16", "one w4a16-k4v4-t64",
            ],
            history.Results.Take(6).Select(result => $"{result.Model} {ContextText.Of(result.Setting, result.Context)}"));
        Assert.Equal(["facts", "counts"], history.Results[0].Scores.Select(score => score.Task));
        Assert.Equal([5, 5, 5, 5, 4, 4], history.Results.Take(6).Select(result => result.Samples));
        Assert.Equal(12, history.Results.Select(result => result.TrialId).Distinct().Count());
        Assert.Equal(FakeSweep.WithoutTimes(history), FakeSweep.WithoutTimes(RunHistory.Read(temp["run"])));
    }

    [Fact]
    public void Report_HasAFrontierForEachContext()
    {
        using var temp = new ScratchFolder();
        var engine = new FakeEngine
        {
            Room = 2000,
            Predicting = trial => trial.Spec is { Context: 10500, Model: "two", Setting.Weights.Bits: 16 } ? 2001 : 1999,
        };
        var history = FakeSweep.Run(temp["run"], engine, FakeSweep.Config("w4a16-k4v4-t64"), tasks: Tasks);
        var analysis = FrontierAnalysis.Of(history.Results, history.Baseline, 1, 10);
        Assert.Equal(
            ["one at 4k", "one at 10500", "one", "two at 4k", "two at 10500", "two"], analysis.Models.Select(model => model.Model));
        Assert.All(analysis.Models, model => Assert.Equal(2, model.Points.Count + model.Failed.Count));
        Assert.Equal("w16a16-k16v16", Assert.Single(analysis.Models[4].Failed).Trial.Setting);
        Assert.Equal(["two at 10500: the baseline w16a16-k16v16 has no result, so losses and savings are left empty"], analysis.Messages);

        var lines = Encoding.UTF8.GetString(ResultsCsv.Write(analysis)).TrimEnd().Split('\n');
        var heading = lines[0].Split(',');
        var (context, predicted, setting) = (
            Array.IndexOf(heading, "context"), Array.IndexOf(heading, "predicted_peak_bytes"), Array.IndexOf(heading, "setting"));
        Assert.Equal(
            ["w16a16-k16v16 4000 1999", "w16a16-k16v16 10500 1999", "w16a16-k16v16  1999", "w4a16-k4v4-t64 4000 1999"],
            lines.Skip(1).Take(4).Select(line => line.Split(',')).Select(cells => $"{cells[setting]} {cells[context]} {cells[predicted]}"));
        Assert.Contains(
            lines, line => line.Contains(
                "10500", StringComparison.Ordinal) && line.Contains(",2001,", StringComparison.Ordinal)
            && line.Contains("does not fit: a peak of 0.00 MiB is predicted, and there are 0.00 MiB", StringComparison.Ordinal));
        Assert.Contains(
            "\none,", Encoding.UTF8.GetString(FrontierCsv.Write(analysis)), StringComparison.Ordinal);
    }

    [Fact]
    public void Run_DoesNotTryWhatDoesNotFit_AndDoesWhenThereIsRoom()
    {
        using var temp = new ScratchFolder();
        var engine = new FakeEngine { Room = 8L << 30, Predicting = trial => trial.Spec.Setting.Weights.Bits == 16 ? 9L << 30 : 4L << 30 };
        var history = FakeSweep.Run(temp["run"], engine);
        Assert.Equal((20, 2), (engine.Generated, engine.Loads.Count));
        var failed = history.Results.Where(result => result.Status == TrialStatus.Failed).ToList();
        Assert.Equal(6, failed.Count);
        Assert.All(failed, result => Assert.Equal(
            (9L << 30, "does not fit: a peak of 9.00 GiB is predicted, and there are 8.00 GiB"),
            (result.PredictedPeakBytes!.Value, result.Failure)));
        var larger = new FakeEngine { Room = 16L << 30, Predicting = engine.Predicting };
        Assert.All(FakeSweep.Run(temp["run"], larger, resume: true, retryFailed: true).Results, result =>
            Assert.Equal(TrialStatus.Ok, result.Status));
    }

    /// <summary>A model of random weights has no tokenizer; what is predicted of it is what is measured.</summary>
    [Fact]
    public void Run_MeasuresRandomModelsByTheirCosts()
    {
        using var temp = new ScratchFolder();
        new TinyModel { Family = "llama", Vocabulary = 300, MaxPositions = 1024 }.Write(temp["tiny"]);
        var config = SweepConfigReader.Read("random.yaml", $$"""
            models: [{name: tiny, path: "random:1:{{temp["tiny"]}}"}]
            tasks: [{task: prompt, length: 100, new_tokens: 5, samples: 2}]
            contexts: [150, 400]
            settings: [w16a16-k4v4-t32-c64]
            """, temp.Root, []);
        using var backend = new CpuBackend(1);
        var history = SweepRunner.Run(
            config, new() { Backend = backend, Folder = temp["run"] }, cancellation: TestContext.Current.CancellationToken);
        Assert.Equal(
            ["w16a16-k16v16 at 150", "w16a16-k4v4-t32-c64 at 150", "w16a16-k16v16 at 400", "w16a16-k4v4-t32-c64 at 400"],
            history.Results.Select(result => ContextText.Of(result.Setting, result.Context)));
        Assert.All(history.Results, result =>
        {
            Assert.Equal((TrialStatus.Ok, null, 2), (result.Status, result.Score, result.Samples));
            Assert.Equal(Math.Max(result.Peaks.Inference.Total, result.Peaks.Load.Total), result.PredictedPeakBytes);
            Assert.True(result is { TtftMs: > 0, TpotMs: > 0 });
        });
        var analysis = FrontierAnalysis.Of(history.Results, history.Baseline, 1, 10);
        Assert.Equal(["tiny at 150", "tiny at 400"], analysis.Models.Select(model => model.Model));
        Assert.All(analysis.Models, model =>
        {
            Assert.Equal((0, 2), (model.Points.Count, model.Unscored.Count));
            Assert.True(model.Unscored[0].MemorySavedPercent > 0 && model.Unscored[1] is { IsBaseline: true, MemorySavedPercent: 0 });
        });
        Assert.Equal("tiny at 150: its tasks have no score; memory and times are all that its settings are compared by", analysis.Messages[0]);
        var figure = new MemoryFigure(analysis, new());
        Assert.Equal(
            (null, 2, 5), (figure.Missing, figure.Panels().Count, Encoding.UTF8.GetString(figure.Csv()).TrimEnd().Split('\n').Length));
        Assert.Equal(4, Encoding.UTF8.GetString(ResultsCsv.Write(analysis)).Split("\n").Count(line => line.Contains(",ledger,")));
    }

    [Fact]
    public void Run_ScoresTheOtherTasksBesidePrompts()
    {
        using var temp = new ScratchFolder();
        var prompts = new SweepTask("prompt", new Tasks.Cost.CostOptions { Length = 9, Count = 2 }.Create());
        var result = FakeSweep.Run(temp["run"], new FakeEngine(), tasks: [FakeSweep.Tasks[0], prompts]).Results[0];
        Assert.Equal((5, "facts"), (result.Samples, Assert.Single(result.Scores).Task));
        Assert.Equal(result.Score, RunHistory.Read(temp["run"]).Results[0].Score);
    }

    [Fact]
    public void Resume_WithAContextMore_MeasuresThatContext()
    {
        using var temp = new ScratchFolder();
        FakeSweep.Run(temp["run"], new FakeEngine(), tasks: Tasks[..2]);
        var engine = new FakeEngine();
        FakeSweep.Run(temp["run"], engine, resume: true, tasks: Tasks[..4]);
        Assert.Equal(50, engine.Generated);
    }

    [Fact]
    public void Of_MakesTasksToEachContext_AndThoseWithOwnLengthsOnce()
    {
        var config = Read("contexts: [200, 1k]", "{task: embedded, kind: fact, samples: 2, length: 100}, "
            + "{task: embedded, name: again, kind: count, samples: 2, length: 100}");
        var tasks = SweepTask.Of(config);
        Assert.Equal(
            ["embedded:fact 200", "again 200", "embedded:fact 1000", "again 1000"], tasks.Select(task => $"{task.Name} {task.Context}"));
        Assert.Equal(4, tasks.Select(task => task.Task.Digest).Distinct().Count());
        Assert.Equal([null, null], SweepTask.Of(Read("", "{task: embedded, kind: fact, samples: 2, length: 100}, "
            + "{task: embedded, kind: count, samples: 2, length: 100}")).Select(task => task.Context));
    }

    [Theory]
    [InlineData("contexts: [0]", "key 'contexts[0]' is '0'; allowed: numbers of tokens, each once")]
    [InlineData("contexts: [4k, 4000]", "key 'contexts[1]' is 4k again; allowed:")]
    [InlineData("contexts: [4m]", "key 'contexts[0]' is '4m'; allowed:")]
    [InlineData("contexts: []", "key 'contexts' is an empty list; allowed:")]
    [InlineData("contexts: [50]", "contexts.yaml:4: key 'contexts': 50: length: 50 is out of range; allowed: 96 to 131072")]
    public void Contexts_AreRead(string contexts, string expected)
    {
        var error = Assert.Throws<ConfigException>(
            () => SweepTask.Of(Read(contexts, "{task: embedded, kind: fact, samples: 2, length: 100}")));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Contexts_StandInForLengths()
    {
        using var temp = new ScratchFolder();
        File.WriteAllText(temp["essay.txt"], "Words of an essay.");
        string[] tasks =
        [
            "{task: embedded, kind: fact, samples: 2}", "{task: ruler, kind: vt}", "{task: prompt}",
            $"{{task: niah, folder: {temp["essay.txt"]}}}",
        ];
        foreach (var task in tasks)
        {
            var with = Read("contexts: [1k, 2k]", task);
            Assert.Equal([1000, 2000], with.Contexts);
            Assert.NotNull(with.Tasks[0].AtLength(2000));
            Assert.Matches("key 'tasks\\[0\\]\\.lengths?' is missing", Assert.Throws<ConfigException>(() => Read("", task)).Message);
        }
    }

    private static SweepConfig Read(string contexts, string tasks) => SweepConfigReader.Read("contexts.yaml", $$"""
        models: [embedded:llama]
        tasks: [{{tasks}}]
        axes: {cache: [k8v8]}
        {{contexts}}
        """, AppContext.BaseDirectory, []);
}
