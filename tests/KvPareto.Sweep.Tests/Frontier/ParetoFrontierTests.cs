using FsCheck;
using FsCheck.Fluent;
using KvPareto.Sweep.Frontier;

namespace KvPareto.Sweep.Tests.Frontier;

public class ParetoFrontierTests
{
    [Theory]
    [MemberData(nameof(GoldenSets.Names), MemberType = typeof(GoldenSets))]
    public void NonDominated_MatchesGoldenSet(string name)
    {
        var set = GoldenSets.Get(name);
        Assert.Equal(set.Nondominated, ParetoFrontier.NonDominated(set.Points, set.Maximise));
    }

    [Fact]
    public void NonDominated_MatchesComparisonOfAllPairs() => Prop.ForAll(RandomPoints.Sets(most: 30), set =>
    {
        var expected = set.Points.Select(point => !Array.Exists(set.Points, other => set.Dominates(other, point)));
        return ParetoFrontier.NonDominated(set.Points, set.Maximise).SequenceEqual(expected);
    }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(double.NegativeInfinity)]
    public void NonDominated_RefusesWhatIsNotFinite(double value)
    {
        var error = Assert.Throws<ArgumentException>(() => ParetoFrontier.NonDominated([[1, 2], [3, value]], [false, true]));
        Assert.Equal("point 1: value 1 is not a finite number", error.Message);
    }

    [Fact]
    public void NonDominated_RefusesAnotherNumberOfObjectives()
    {
        var error = Assert.Throws<ArgumentException>(() => ParetoFrontier.NonDominated([[1, 2], [3]], [false, true]));
        Assert.Equal("point 1 has 1 values, but there are 2 objectives", error.Message);
    }

    [Fact]
    public void NonDominated_OfNothingIsNothing() => Assert.Empty(ParetoFrontier.NonDominated([], [false, true]));
}
