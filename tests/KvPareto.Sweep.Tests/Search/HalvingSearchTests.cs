using KvPareto.Sweep.Search;

namespace KvPareto.Sweep.Tests.Search;

public class HalvingSearchTests
{
    private const string Right = "1111111111111111";
    private const string Wrong = "0000000000000000";

    private static readonly HalvingOptions Options = new() { Seed = 1, Levels = 3, Margin = 0, Confidence = 0.95 };

    [Fact]
    public void Next_AsksForTheFirstLevelOfEverySetting()
    {
        var step = Next(Baseline(""), SomePoint.Of("w4a16-k8v8-t64", 50, "1"), SomePoint.Of("w4a16-k4v4-t64", 40, "11"));
        Assert.Empty(step.Dropped);
        Assert.Equal([0, 1], step.Wishes.Select(wish => wish.Point));
        Assert.All(step.Wishes, wish => Assert.Equal([2], Assert.IsType<PartWish>(wish).Counts));
    }

    [Fact]
    public void Next_DropsWhatLosesToALighterSetting_AndKeepsTheBaseline()
    {
        var step = Next(
            Baseline(Wrong[..4]), SomePoint.Of("w16a16-k8v8-t64", 50, Wrong[..4]), SomePoint.Of("w4a16-k4v4-t64", 40, Right[..4]));
        var verdict = Assert.Single(step.Dropped);
        Assert.Equal(1, verdict.Point);
        Assert.Contains("after 2 of 16 samples it leads w4a16-k4v4-t64, which is at most as heavy, by -100.0 ± ", verdict.Reason,
            StringComparison.Ordinal);
        Assert.Equal([0, 2], step.Wishes.Select(wish => wish.Point));
        Assert.All(step.Wishes, wish => Assert.Equal([8], Assert.IsType<PartWish>(wish).Counts));
    }

    [Fact]
    public void Next_KeepsALighterSettingThatLoses()
    {
        var step = Next(Baseline(Right), SomePoint.Of("w4a16-k4v4-t64", 40, Wrong));
        Assert.Empty(step.Dropped);
        Assert.Equal([new WholeWish(0), new WholeWish(1)], step.Wishes);
    }

    [Fact]
    public void Next_DecidesByTheFirstSamplesAlone()
    {
        // The rest of what was measured says the opposite, and must not matter: it was not known when this was decided first.
        var step = Next(
            Baseline(Right), SomePoint.Of("w16a16-k8v8-t64", 50, "00" + Right[2..]), SomePoint.Of("w4a16-k4v4-t64", 40, "11" + Wrong[2..]));
        Assert.Equal(1, Assert.Single(step.Dropped).Point);
    }

    [Fact]
    public void Next_OfTwoAlikeKeepsOne_WhereTheMarginAsksForIt()
    {
        var points = new[]
        {
            Baseline(Right), SomePoint.Of("w16a16-k8v8-t64", 50, Right[..8]), SomePoint.Of("w4a16-k4v4-t64", 50, Right[..8]),
        };
        Assert.Empty(Next(points).Dropped);
        var verdict = Assert.Single(new HalvingSearch(Options with { Margin = 20 }).Next(points).Dropped);
        Assert.Equal(2, verdict.Point);
    }

    [Fact]
    public void Next_PassesOverFailures()
    {
        var step = Next(
            Baseline(Right[..2]), SomePoint.Of("w16a16-k8v8-t64", 50, Wrong[..2]),
            SomePoint.Of("w4a16-k4v4-t64", 40, Right[..2], state: PointState.Failed));
        Assert.Empty(step.Dropped);
        Assert.Equal([0, 1], step.Wishes.Select(wish => wish.Point));
    }

    [Fact]
    public void Next_EndsWhenAllThatStayIsMeasured()
    {
        var step = Next(
            SomePoint.Of("w16a16-k16v16", 100, Right, state: PointState.Measured, isBaseline: true),
            SomePoint.Of("w16a16-k8v8-t64", 50, Wrong[..2]),
            SomePoint.Of("w4a16-k4v4-t64", 40, Right, state: PointState.Measured));
        Assert.Empty(step.Wishes);
        Assert.Equal(1, Assert.Single(step.Dropped).Point);
    }

    /// <summary>Differences 1, 0, 0, 1 of 8 samples: mean 0.5, variance (0.1 + 1) / (1 + 3), of which 1/4 − 1/8 is open.</summary>
    [Fact]
    public void ScoreLead_KnownValues_HandCalculated()
    {
        var lead = ScoreLead.Of(SomePoint.Of("w16a16-k16v16", 1, "1111", 8), SomePoint.Of("w16a16-k8v8-t64", 1, "0110", 8), [4]);
        Assert.Equal(50, lead.Points, 12);
        Assert.Equal(100 * Math.Sqrt(1.1 / 4 / 8), lead.Deviation, 12);
        var whole = ScoreLead.Of(SomePoint.Of("w16a16-k16v16", 1, "11", 2), SomePoint.Of("w16a16-k8v8-t64", 1, "01", 2), [2]);
        Assert.Equal((50.0, 0.0), (whole.Points, whole.Deviation));
        Assert.Equal((0.0, 1.0), (whole.ChanceBelow(50), whole.ChanceBelow(51)));
    }

    [Theory]
    [InlineData(0, 0.5)]
    [InlineData(1, 0.84134474606854293)]
    [InlineData(-1.959963984540054, 0.025)]
    [InlineData(3.5, 0.99976737092096446)]
    [InlineData(4, 0.99996832875816688)]
    [InlineData(-6, 9.8658764503769814e-10)]
    public void NormalDistribution_KnownValues(double z, double expected) =>
        Assert.Equal(expected, NormalDistribution.Below(z), 1e-14);

    [Fact]
    public void SampleOrder_IsAPermutation_AnotherForEachTaskAndSeed()
    {
        var order = SampleOrder.Of("facts", 32, 1);
        Assert.Equal(Enumerable.Range(0, 32), order.Order());
        Assert.Equal(order, SampleOrder.Of("facts", 32, 1));
        Assert.NotEqual(order, SampleOrder.Of("counts", 32, 1));
        Assert.NotEqual(order, SampleOrder.Of("facts", 32, 2));
    }

    private static SearchPoint Baseline(string seen) => SomePoint.Of("w16a16-k16v16", 100, seen, isBaseline: true);

    private static SearchStep Next(params SearchPoint[] points) => new HalvingSearch(Options).Next(points);
}
