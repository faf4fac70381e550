using KvPareto.Sweep.Answers.Objectives;
using KvPareto.Sweep.Frontier;
using KvPareto.Sweep.Results;
using KvPareto.Sweep.Runs;
using KvPareto.Sweep.Tests.Frontier;
using KvPareto.Sweep.Tests.Reports;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Tests.Answers.Objectives;

public class ObjectiveFrontierTests
{
    private const string Model = "m";

    /// <summary>
    /// Golden sets of memory, score and latency: who is dominated, and the volume of the box, recomputed in the set's own units from the
    /// percent of the box up to the reference that this frontier takes.
    /// </summary>
    public static TheoryData<string> ThreeObjectives() =>
        [.. GoldenSets.Names().Select(row => row.Data).Where(name => GoldenSets.Get(name).Maximise is [false, true, false])];

    [Theory]
    [MemberData(nameof(ThreeObjectives))]
    public void Frontier_IsTheGoldenOne(string name)
    {
        var set = GoldenSets.Get(name);
        var trials =
            set.Points.Select((point, i) => Trial($"w16a16-k16v16-c{i + 1}", (long)Math.Round(1e6 * point[0]), point[1], point[2]));
        var frontier = Of([.. trials], "memory,score,tpot");
        var byName = frontier.Points.ToDictionary(point => point.Trial.Setting, point => point.OnFrontier);
        Assert.Equal(set.Nondominated, set.Points.Select((_, i) => byName[$"w16a16-k16v16-c{i + 1}"]));
        var box = frontier.Reference[0] * 100 * frontier.Reference[2];
        double[][] points = [.. set.Points.Select(point => new[] { Math.Round(1e6 * point[0]), 100 * point[1], point[2] })];
        var volume = Hypervolume.Compute(points, [frontier.Reference[0], 0, frontier.Reference[2]], [false, true, false]);
        Assert.Equal(100 * volume / box, frontier.HypervolumePercent, 9);
        Assert.Equal(
            set.Hypervolume, Hypervolume.Compute(set.Points, set.Reference, set.Maximise), 1e-9 * Math.Max(1, Math.Abs(set.Hypervolume)));
    }

    [Fact]
    public void TwoObjectives_AreThoseOfTheReports()
    {
        var trials = SomeTrial.Sweep(Model);
        var report = FrontierAnalysis.Of(trials, "w16a16-k16v16", 7).Models.Single();
        var chosen = ObjectiveFrontier.Of(report, ObjectiveCatalog.Parse("--objectives", "memory,score"), 7);
        Assert.Equal(report.HypervolumePercent, chosen.HypervolumePercent, 1e-4);
        foreach (var (expected, point) in report.Points.Zip(chosen.Points))
        {
            Assert.Equal(expected.Trial, point.Trial);
            Assert.Equal(expected.OnFrontier, point.OnFrontier);
            Assert.Equal(expected.DominatedShare, point.DominatedShare);
            Assert.Equal(expected.Interval, point.Interval);
            Assert.Equal(expected.ScoreLossInterval, point.LossInterval);
        }
    }

    /// <summary>By hand: 10 by 100 points of score by 10 ms; b is only kept by its time.</summary>
    [Fact]
    public void ThirdObjective_KeepsWhatIsQuick()
    {
        TrialResult[] trials =
            [Trial("w16a16-k16v16", 100, 1, 10), Trial("w16a16-k8v8-t64", 50, 0.5, 20), Trial("w16a16-k4v4-t64", 60, 0.5, 5)];
        Assert.Equal([true, true, false], Kept(Of(trials, "memory,score")));
        Assert.Equal([true, true, true], Kept(Of(trials, "memory,score,tpot")));
        var frontier = Of(trials, "memory,score,tpot");
        // Box 105 × 100 × 21: 0..50 of score reach 50 and 60 in memory, 50..100 only the first.
        var lower = 50 * ((105 - 60) * (21 - 5) + (60 - 50) * (21 - 20.0));
        var upper = 50 * (105 - 100) * (21 - 10.0);
        Assert.Equal(100 * (lower + upper) / (105 * 100 * 21), frontier.HypervolumePercent, 9);

        static IEnumerable<bool> Kept(ObjectiveFrontier frontier) => new[] { "w16a16-k16v16", "w16a16-k8v8-t64", "w16a16-k4v4-t64" }
            .Select(setting => frontier.Points.Single(point => point.Trial.Setting == setting).OnFrontier);
    }

    [Fact]
    public void SettingWithoutATime_IsLeftOutAndNamed()
    {
        var untimed = Trial("w16a16-k8v8-t64", 50, 0.5, 20) with { TpotMs = null };
        var frontier = Of([Trial("w16a16-k16v16", 100, 1, 10), untimed], "memory,score,tpot");
        Assert.Equal(["w16a16-k8v8-t64"], frontier.Without);
        Assert.Single(frontier.Points);
    }

    /// <summary>Made-up prompts have no score: other objectives compare them all the same, in a box of 105 bytes by 21 ms.</summary>
    [Fact]
    public void TrialsWithoutAScore_HaveAFrontierOfTheOtherObjectives()
    {
        TrialResult[] trials = [Unscored("w16a16-k16v16", 100, 10), Unscored("w16a16-k8v8-t64", 60, 20), Unscored("w16a16-k4v4-t64", 80, 20)];
        var frontier = Of(trials, "memory,tpot");
        Assert.Equal(["w16a16-k8v8-t64", "w16a16-k4v4-t64", "w16a16-k16v16"], frontier.Points.Select(point => point.Trial.Setting));
        Assert.Equal([true, false, true], frontier.Points.Select(point => point.OnFrontier));
        Assert.Equal([0, 1.0, 0], frontier.Points.Select(point => point.DominatedShare));
        Assert.Equal("w16a16-k16v16", frontier.Points.Single(point => point.IsBaseline).Trial.Setting);
        Assert.All(frontier.Points, point => Assert.Equal((null, null, null), (point.Interval, point.Loss, point.LossInterval)));
        Assert.Equal(100 * (45 * 1 + 5 * 10) / (105 * 21.0), frontier.HypervolumePercent, 9);
        Assert.Equal(3, Of(trials, "memory,score").Without.Count);

        static TrialResult Unscored(string setting, long peak, double tpot) =>
            Trial(setting, peak, 0, tpot) with { Score = null, Scores = [] };
    }

    [Theory]
    [InlineData("memory", "--objectives 'memory'; allowed: at least 2 of")]
    [InlineData("memory,memory", "--objectives 'memory,memory'; allowed: at least 2 of")]
    [InlineData("memory,speed", "--objectives 'speed'; allowed: memory, score, ttft, tpot")]
    [InlineData("", "--objectives ''; allowed: memory")]
    public void UnknownObjectives_AreRefused(string text, string message) => Assert.StartsWith(
        message, Assert.Throws<ConfigException>(() => ObjectiveCatalog.Parse("--objectives", text)).Message, StringComparison.Ordinal);

    /// <summary>Two tasks of one sample each: the weighted mean, and its interval of no width.</summary>
    [Fact]
    public void Weights_CountInScoreAndInterval()
    {
        var trial = SomeTrial.Ok(Model, "w16a16-k16v16", 100, ("a", [1.0]), ("b", [0.0]));
        var weighted = trial with { Score = 75 };
        var model = FrontierAnalysis.Of([weighted], "w16a16-k16v16", 1).Models.Single();
        var point = ObjectiveFrontier.Of(model, ObjectiveCatalog.Parse("--objectives", "memory,score"), 1, [3, 1]).Points.Single();
        Assert.Equal(new ScoreInterval(75, 75), point.Interval);
        Assert.Equal(75, point.Values[1]);
    }

    [Theory]
    [InlineData("memory,score", null, null, "score: tasks fact, label")]
    [InlineData("tpot,score,memory", null, "label=2.5,fact=3", "score: tasks fact, label, weights label=2.5, fact=3")]
    [InlineData("memory,score", "label", null, "score: task label")]
    [InlineData("memory,tpot", "label", null, null)]
    public void Figure_SaysWhatTheScoreIsOf(string names, string? tasks, string? weights, string? expected)
    {
        var runs = new RunHistory("r", 1, "w16a16-k16v16", 5, SomeTrial.Sweep(Model));
        var objectives = ObjectiveCatalog.Parse("--objectives", names);
        var analysis = ObjectiveAnalysis.Of(runs, objectives, TaskSelection.Parse(tasks, null, weights));
        var facts = new ObjectiveFigure("r", analysis, objectives).Facts;
        Assert.Equal(expected, facts.SingleOrDefault(fact => fact.StartsWith("score", StringComparison.Ordinal)));
    }

    private static ObjectiveFrontier Of(IReadOnlyList<TrialResult> trials, string objectives) => ObjectiveFrontier.Of(
        FrontierAnalysis.Of(trials, "w16a16-k16v16", 1, resamples: 20)
            .Models.Single(), ObjectiveCatalog.Parse("--objectives", objectives), 1,
        resamples: 20);

    private static TrialResult Trial(string setting, long peak, double score, double tpot) =>
        SomeTrial.Ok(Model, setting, peak, ("a", [score])) with { TpotMs = tpot };
}
