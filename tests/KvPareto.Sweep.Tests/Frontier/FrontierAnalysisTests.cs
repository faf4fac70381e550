using KvPareto.Engine.Seam;
using KvPareto.Sweep.Frontier;
using KvPareto.Sweep.Results;
using KvPareto.Sweep.Tests.Reports;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Tests.Frontier;

public class FrontierAnalysisTests
{
    private const string Baseline = "w16a16-k16v16";

    [Fact]
    public void Of_FindsTheFrontierAndWhatTheBaselineSays()
    {
        var model = Assert.Single(Of([.. SomeTrial.Sweep("llama")]).Models);
        Assert.Equal(["w4g64a16-k4v4-t32-smooth-c256", "w16a16-k8v8-t64"], model.Frontier.Select(point => point.Trial.Setting));
        Assert.Equal([60.0, 50, 20, 0], model.Points.Select(point => point.MemorySavedPercent!.Value));
        Assert.Equal([15.0, 20, 0, 0], model.Points.Select(point => Math.Round(point.ScoreLoss!.Value, 9)));
        Assert.Equal((Baseline, 1.0), (model.Baseline!.Trial.Setting, model.Baseline.DominatedShare));
        Assert.Equal(1050, model.ReferenceBytes);
        Assert.Equal((250 * 95.0 + 400 * 80) / 1050, model.HypervolumePercent, 1e-9);
        Assert.Equal("out of memory:\n\"prefill\", 2 GiB", Assert.Single(model.Failed).Reason);
    }

    [Fact]
    public void Of_NamesNearTiesWhereTheSamplesDoNotTellThemApart()
    {
        var model = Assert.Single(Of([.. SomeTrial.Sweep("llama")]).Models);
        var small = model.Frontier.First();
        Assert.Equal("w4g64a16-k4v2-kt32-vt64-c64-math", Assert.Single(model.NearTies(small)).Trial.Setting);
        Assert.InRange(model.Points[1].DominatedShare, 0.5, 0.95);
    }

    [Fact]
    public void Of_ComparesModelsOnlyInTheOverallFrontier()
    {
        var models = Of(SomeTrial.Ok("a", Baseline, 10, ("t", [1, 0])), SomeTrial.Ok("b", Baseline, 20, ("t", [1, 0]))).Models;
        Assert.Equal([(true, true), (true, false)],
            models.Select(model => (model.Points[0].OnFrontier, model.Points[0].OnOverallFrontier)));
    }

    [Fact]
    public void Of_DoesNotCompareScoresOfDifferentTasks()
    {
        var analysis = Of(
            SomeTrial.Ok("a", Baseline, 10, ("t", [1, 1])),
            SomeTrial.Ok("a", "w16a16-k8v8-t64", 20, ("t", [0, 0])),
            SomeTrial.Ok("a", "w16a16-k4v4-t64", 30, ("other", [0, 0])));
        Assert.Equal(["a, tasks 1", "a, tasks 2"], analysis.Models.Select(model => model.Model));
        Assert.Equal(2, analysis.Models.Sum(model => model.Frontier.Count()));
        Assert.Contains(analysis.Messages, message => message.Contains("2 different sets of tasks", StringComparison.Ordinal));
    }

    [Fact]
    public void Of_DoesNotComparePeaksThatWereGotInDifferentWays()
    {
        var process = SomeTrial.Ok("a", "w16a16-k8v8-t64", 20, ("t", [0, 0]));
        var analysis =
            Of(SomeTrial.Ok("a", Baseline, 10, ("t", [1, 1])), process with { Peaks = process.Peaks with { Measured = PeakKind.Process } });
        Assert.Equal(2, analysis.Models.Sum(model => model.Frontier.Count()));
        Assert.All(analysis.Models, model => Assert.Single(model.Points));
        Assert.Contains(analysis.Messages, message => message.Contains("got in 2 different ways", StringComparison.Ordinal));
        Assert.DoesNotContain(analysis.Messages, message => message.Contains("sets of tasks", StringComparison.Ordinal));
    }

    [Fact]
    public void Of_KeepsModelsOfOneNameApart()
    {
        var changed = SomeTrial.Ok("a", Baseline, 20, ("t", [1])) with { ModelDigest = "0123456789abcdef", TrialId = "x" };
        Assert.Equal(["a (01234567)", "a (digest o)"],
            Of(SomeTrial.Ok("a", Baseline, 10, ("t", [1])), changed).Models.Select(model => model.Model));
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void Of_LeavesOutWhatHasNoTrueScore(double score)
    {
        var good = SomeTrial.Ok("a", Baseline, 10, ("t", [1]));
        TrialResult[] bad =
        [
            good with { TrialId = "1", Setting = "w16a16-k2v2-t64", Score = score },
            good with { TrialId = "2", Setting = "w16a16-k2v2-t32", Score = null },
            good with { TrialId = "3", Setting = "w16a16-k4v2-t64", Scores = [] },
            good with { TrialId = "4", Setting = "w16a16-k4v4-t64", Scores = [new("t", "d", 1, 100, [score])] },
            good with { TrialId = "5", Setting = "w16a16-k8v8-t64", Peaks = default },
        ];
        var analysis = Of([good, .. bad]);
        Assert.Same(good, Assert.Single(Assert.Single(analysis.Models).Points).Trial);
        Assert.Equal(5, analysis.Models[0].Failed.Count);
        Assert.Contains("a w16a16-k2v2-t32: left out, it has no score", analysis.Messages);
    }

    [Fact]
    public void Of_PrefersTheTrialThatWentWell()
    {
        var good = SomeTrial.Ok("a", Baseline, 10, ("t", [1]));
        var failed = SomeTrial.Failed("a", Baseline, "out of memory");
        Assert.Equal(good.TrialId, failed.TrialId);
        foreach (TrialResult[] order in new TrialResult[][] { [good, failed], [failed, good] })
        {
            var model = Assert.Single(Of(order).Models);
            Assert.Single(model.Points);
            Assert.Empty(model.Failed);
        }
    }

    [Fact]
    public void Of_SaysWhereTheBaselineIsMissing()
    {
        var analysis = Of(SomeTrial.Ok("a", "w16a16-k8v8-t64", 10, ("t", [1])));
        Assert.Equal(["a: the baseline w16a16-k16v16 has no result, so losses and savings are left empty"], analysis.Messages);
        Assert.Null(analysis.Models[0].Points[0].ScoreLoss);
    }

    [Fact]
    public void Of_RefusesABaselineThatIsNoSetting() =>
        Assert.Throws<ConfigException>(() => FrontierAnalysis.Of([], "full precision", seed: 1));

    private static FrontierAnalysis Of(params TrialResult[] results) => FrontierAnalysis.Of(results, Baseline, seed: 1);
}
