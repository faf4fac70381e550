using System.Text;
using KvPareto.Engine.Seam;
using KvPareto.Sweep.Frontier;
using KvPareto.Sweep.Journaling;
using KvPareto.Sweep.Reports.Pictures;
using KvPareto.Sweep.Results;
using KvPareto.Tasks.Predictions;
using KvPareto.Testing;

namespace KvPareto.Sweep.Tests.Reports.Pictures;

public sealed class LengthPointsTests : IDisposable
{
    private readonly ScratchFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>Prompts of 100, 105 and 1,000 tokens are two lengths; the warm-up's time does not count, its peak and score do.</summary>
    [Fact]
    public void Samples_AreGatheredByLength()
    {
        var trial = SomeTrial.Ok("m", "w16a16-k16v16", 1000, ("t", [1, 0, 1]));
        Directory.CreateDirectory(RunPaths.Samples(_folder.Root));
        File.WriteAllLines(RunPaths.Samples(_folder.Root, trial.TrialId),
            [Line("a", 105, 0, 9, 400, isWarmUp: true), Line("b", 1000, 1, 50, 900), Line("c", 100, 1, 4, 300)]);
        var analysis = FrontierAnalysis.Of([trial], "w16a16-k16v16", 1, resamples: 10);
        var points = Of(analysis);
        Assert.Equal([(105, 2), (1000, 1)], points.Select(point => (point.Context, point.Samples)));
        Assert.Equal([50.0, 100.0], points.Select(point => point.Score));
        Assert.Equal([400L, 900L], points.Select(point => point.PeakBytes));
        Assert.Equal([4.0, 50.0], points.Select(point => point.FirstToken?.Median));
        Assert.All(points, point => Assert.True(point.IsBaseline));
        // Its one name is whole.
        Assert.DoesNotContain(new ContextFigure("r", points).Facts, fact => fact.StartsWith("names leave out", StringComparison.Ordinal));
        Assert.Null(new LatencyFigure("r", points).Missing);
        var csv = Encoding.UTF8.GetString(new ContextFigure("r", points).Csv());
        Assert.Equal(
            "model,setting,baseline,context,samples,score,total_peak_bytes\nm,w16a16-k16v16,true,105,2,50.0000,400\n"
                + "m,w16a16-k16v16,true,1000,1,100.0000,900\n",
            csv);
    }

    private IReadOnlyList<LengthPoint> Of(FrontierAnalysis analysis) =>
        LengthPoints.Of(analysis, trial => SampleLog.Read(RunPaths.Samples(_folder.Root, trial.TrialId)).Records);

    /// <summary>Larger at the shorter context, so that the baseline dominates it there alone; tasks with lengths of their own are
    /// others.</summary>
    [Fact]
    public void ASettingOfOneContextsFrontier_HasItsPointsAtAll()
    {
        TrialResult[] trials =
        [
            At(100, "w16a16-k16v16", 500), At(100, "w16a16-k8v8-t32", 600),
            At(1000, "w16a16-k16v16", 900), At(1000, "w16a16-k8v8-t32", 700),
            At(null, "w16a16-k16v16", 900), At(null, "w16a16-k8v8-t32", 700),
        ];
        Directory.CreateDirectory(RunPaths.Samples(_folder.Root));
        foreach (var trial in trials)
            File.WriteAllLines(RunPaths.Samples(_folder.Root, trial.TrialId), [Line("a", trial.Context ?? 30, 1, 4, 300)]);
        var analysis = FrontierAnalysis.Of(trials, "w16a16-k16v16", 1, resamples: 10);
        Assert.Equal(
            ["w16a16-k16v16 100", "w16a16-k16v16 1000", "w16a16-k8v8-t32 100", "w16a16-k8v8-t32 1000"],
            Of(analysis).Select(point => $"{point.Setting} {point.Context}").Order(StringComparer.Ordinal));

        static TrialResult At(int? context, string setting, long peak)
        {
            var trial = SomeTrial.Ok("m", setting, peak, ("t", [1, 1]));
            var scores = trial.Scores.Select(score => score with { Digest = $"{context}" }).ToList();
            return trial with { Context = context, TrialId = $"{context ?? 0:x8}{peak:x8}", Scores = scores };
        }
    }

    /// <summary>Made-up prompts have no score that could be in a mean.</summary>
    [Theory]
    [InlineData("other", null, "peak over context")]
    [InlineData("t", 100.0, "peak and score over context")]
    public void Samples_WithoutAScore_HavePeaksAndTimes(string task, double? score, string title)
    {
        var trial = SomeTrial.Ok("m", "w16a16-k16v16", 1000, ("t", [1.0]));
        if (task != "t") trial = trial with { Scores = [], Score = null, UnscoredSamples = 2 };
        Directory.CreateDirectory(RunPaths.Samples(_folder.Root));
        File.WriteAllLines(RunPaths.Samples(_folder.Root, trial.TrialId),
            [Line("a", 100, 1, 4, 300, task: task), Line("b", 100, 0, 6, 400, task: "prompt"), Line("c", 900, 0, 50, 900, task: "prompt")]);
        var points = Of(FrontierAnalysis.Of([trial], "w16a16-k16v16", 1, resamples: 10));
        Assert.Equal([(100, score, 400L), (900, null, 900L)], points.Select(point => (point.Context, point.Score, point.PeakBytes!.Value)));
        Assert.Equal((null, $"r: {title}"), (new ContextFigure("r", points).Missing, new ContextFigure("r", points).Title));
        Assert.Equal(score is null ? 1 : 2, new ContextFigure("r", points).Panels().Count);
        Assert.Equal(2, new LatencyFigure("r", points).Panels().Count);
    }

    [Fact]
    public void OneLength_IsNoFigure()
    {
        var trial = SomeTrial.Ok("m", "w16a16-k16v16", 1000, ("t", [1.0]));
        var analysis = FrontierAnalysis.Of([trial], "w16a16-k16v16", 1, resamples: 10);
        Assert.Equal(
            "no prompt was measured, or the run's samples are not there", new ContextFigure("r", Of(analysis)).Missing);
        Directory.CreateDirectory(RunPaths.Samples(_folder.Root));
        File.WriteAllLines(RunPaths.Samples(_folder.Root, trial.TrialId), [Line("a", 100, 1, 4, 300), Line("b", 130, 1, 4, 300)]);
        Assert.Equal(
            "all prompts are about as long as each other", new LatencyFigure("r", Of(analysis)).Missing);
    }

    private static string Line(string id, int tokens, double score, double ttft, long peak, bool isWarmUp = false, string task = "t") =>
        Encoding.UTF8.GetString(JournalJson.WriteLine(new SampleRecord
        {
            Task = task,
            Sample = id,
            Prediction = new TextPrediction(""),
            Score = score,
            PromptTokens = tokens,
            NewTokens = 1,
            Peaks = new(default, new MemoryUse(peak, 0, 0, 0), default),
            WarmUp = isWarmUp,
            TtftMs = ttft,
        }));
}
