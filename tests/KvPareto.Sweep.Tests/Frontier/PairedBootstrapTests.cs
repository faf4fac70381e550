using KvPareto.Sweep.Frontier;
using KvPareto.Sweep.Results;
using KvPareto.Sweep.Tests.Reports;

namespace KvPareto.Sweep.Tests.Frontier;

public class PairedBootstrapTests
{
    /// <summary>Five standard errors of a share over 2,000 resamples.</summary>
    private const double ShareTolerance = 0.056;

    [Fact]
    public void Interval_HasTheWidthOfTheMeansDistribution()
    {
        var interval = Over(SomeTrial.Samples(200, 400)).Interval(0);
        Assert.Equal(50 - 1.96 * 2.5, interval.Low, 0.5);
        Assert.Equal(50 + 1.96 * 2.5, interval.High, 0.5);
    }

    [Fact]
    public void Interval_OfEqualSamplesIsAPoint() => Assert.Equal(new ScoreInterval(25, 25), Over([0.25, 0.25, 0.25]).Interval(0));

    [Fact]
    public void Interval_DoesNotDependOnTheOtherPoints()
    {
        double[] samples = [1, 0, 1, 1, 0.5, 0.25, 0];
        Assert.Equal(Over(samples).Interval(0), Over([0, 0, 0, 1, 1, 1, 1], samples).Interval(1));
    }

    [Fact]
    public void Interval_DependsOnTheSeed()
    {
        double[] samples = [1, 0.1, 0.9, 0.8, 0.5, 0.25, 0];
        Assert.NotEqual(Over(samples).Interval(0), PairedBootstrap.Over([[Task(samples)]], seed: 2).Interval(0));
    }

    [Fact]
    public void Interval_GivesEveryTaskTheSameWeight()
    {
        var tasks = new[] { new TaskScore("a", "d", 2, 100, [1, 1]), new TaskScore("b", "d", 4, 0, [0, 0, 0, 0]) };
        Assert.Equal(new ScoreInterval(50, 50), PairedBootstrap.Over([tasks], seed: 1).Interval(0));
    }

    [Fact]
    public void LossInterval_IsPaired()
    {
        var samples = SomeTrial.Samples(5, 10);
        double[] better = [.. samples.Select(value => value / 2 + 0.5)];
        double[] worse = [.. samples.Select(value => value / 2 + 0.25)];
        Assert.Equal(new ScoreInterval(25, 25), Over(better, worse).LossInterval(0, 1));
    }

    [Fact]
    public void DominatedShares_CountTiesForTheSmallerPoint()
    {
        var shares = Over([1, 0], [0, 1]).DominatedShares([10, 20], [0, 1]);
        Assert.Equal(0, shares[0]);
        Assert.Equal(0.75, shares[1], ShareTolerance);
    }

    [Fact]
    public void DominatedShares_NeedABetterScoreAtEqualMemory()
    {
        var shares = Over([1, 0], [0, 1]).DominatedShares([10, 10], [0, 1]);
        Assert.Equal(0.25, shares[0], ShareTolerance);
        Assert.Equal(0.25, shares[1], ShareTolerance);
        Assert.Equal([0, 0], Over([1, 0], [1, 0]).DominatedShares([10, 10], [0, 1]));
    }

    [Fact]
    public void DominatedShares_TakeSumsInAnotherOrderForEqual()
    {
        double[] thirds = [0.1, 0.7, 0.3, 0.1, 0.7, 0.3];
        var other = Array.ConvertAll(thirds, value => value / 3 * 3);
        Assert.Equal([0, 1], Over(thirds, other).DominatedShares([10, 20], [0, 1]));
        Assert.Equal([1, 0], Over(thirds, other).DominatedShares([20, 10], [0, 1]));
    }

    [Fact]
    public void DominatedShares_CompareMembersOnly() =>
        Assert.Equal([0.0], Over([1, 1], [0, 0]).DominatedShares([10, 20], [1]));

    private static PairedBootstrap Over(params double[][] points) =>
        PairedBootstrap.Over([.. points.Select(samples => new[] { Task(samples) })], seed: 1);

    private static TaskScore Task(double[] samples) => new("task", "digest", samples.Length, 100 * samples.Average(), samples);
}
