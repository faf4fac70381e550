using KvPareto.Sweep.Search;

namespace KvPareto.Sweep.Tests.Search;

public class PredictSearchTests
{
    private static readonly PredictOptions Options = new() { Seed = 1, Margin = 1, Confidence = 0.8, Batch = 1 };

    // Score falls with divergence: 16 settings, each lighter and worse than the one before.
    private static string Seen(int right) => new string('1', right) + new string('0', 16 - right);

    [Fact]
    public void Next_ProbesEverythingFirst()
    {
        var step = Next(SomePoint.Of("w16a16-k16v16", 100, "", isBaseline: true), SomePoint.Of("w4a16-k8v8-t64", 50, "", divergence: 0.1));
        Assert.Equal([new ProbeWish(0)], step.Wishes);
        Assert.Empty(step.Dropped);
    }

    [Fact]
    public void Next_BeginsWithTheBaselineAndTheRimOfMemoryAndDivergence()
    {
        var step = Next(
            Baseline(PointState.Open), Point(90, 0.01), Point(80, 0.005), Point(70, 0.1), Point(60, 0.05), Point(50, 0.2));
        // 90 needs more memory than 80 and diverges more, 70 than 60.
        Assert.Equal([0, 2, 4, 5], step.Wishes.OfType<WholeWish>().Select(wish => wish.Point).Order());
    }

    [Fact]
    public void Next_LeavesOutWhereNoPredictedIntervalReachesTheFrontier()
    {
        var step = Next(
            Baseline(PointState.Measured, 16), Point(80, 0.005, 16), Point(60, 0.05, 15), Point(50, 0.2, 12), Point(40, 1, 4),
            Point(90, 0.3), Point(95, 0.9));
        Assert.Empty(step.Wishes);
        Assert.Equal([5, 6], step.Dropped.Select(verdict => verdict.Point));
        Assert.StartsWith("at a divergence of 0.3 nats a score of ", step.Dropped[0].Reason, StringComparison.Ordinal);
        Assert.EndsWith(
            " is predicted, and w16a16-k8v8-t64-c80, which is at most as heavy, has 100.0", step.Dropped[0].Reason,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Next_MeasuresNextWhatIsExpectedToAddMost()
    {
        var step = Next(
            Baseline(PointState.Measured, 16), Point(80, 0.005, 16), Point(60, 0.05, 15), Point(50, 0.2, 12), Point(30, 1, 2),
            Point(55, 0.06), Point(40, 0.06), Point(49, 0.06));
        Assert.Equal([new WholeWish(6)], step.Wishes);
    }

    [Fact]
    public void Next_DecidesInTheSameOrder_WhateverElseIsMeasured()
    {
        SearchPoint[] Points(int measuredBesides) =>
        [
            Baseline(PointState.Measured, 16), Point(80, 0.005, 16), Point(60, 0.05, 15), Point(50, 0.2, 12), Point(30, 1, 2),
            Point(55, 0.06, measuredBesides == 5 ? 15 : null), Point(40, 0.06), Point(49, 0.06),
        ];
        Assert.Equal(Next(Points(0)).Wishes, Next(Points(5)).Wishes);
    }

    [Fact]
    public void Next_DropsWhatCannotBeProbed_AndKeepsTheBaseline()
    {
        var failed = SomePoint.Of("w16a16-k2v2-t64", 10, "", probeFailure: "not a number: NaN");
        var step = Next(SomePoint.Of("w16a16-k16v16", 100, "", isBaseline: true, probeFailure: "out of memory"), failed);
        Assert.Equal([new WholeWish(0)], step.Wishes);
        Assert.Equal([new SearchVerdict(1, "its probe failed: not a number: NaN")], step.Dropped);
    }

    [Fact]
    public void Predictor_OfPointsThatFall_GoesThroughThem_AndBetweenThem()
    {
        var predictor = new ScorePredictor([(0.01, 90), (0.1, 80), (1, 50)]);
        Assert.Equal(80, predictor.Predict(0.1).Mean, 9);
        Assert.Equal(85, predictor.Predict(Math.Sqrt(0.001)).Mean, 9);
        Assert.Equal((90.0, 50.0), (Math.Round(predictor.Predict(1e-9).Mean, 9), Math.Round(predictor.Predict(10).Mean, 9)));
    }

    /// <summary>80 and 90 violate the order: both become 85, at their mean place.</summary>
    [Fact]
    public void Predictor_PoolsWhatRises()
    {
        var predictor = new ScorePredictor([(0.01, 80), (0.1, 90), (1, 50)]);
        Assert.Equal(85, predictor.Predict(Math.Sqrt(0.001)).Mean, 9);
        Assert.Equal(85, predictor.Predict(0.001).Mean, 9);
        Assert.Equal(50, predictor.Predict(1).Mean, 9);
    }

    [Fact]
    public void Predictor_IsSurerWhereItsErrorsAreSmaller()
    {
        (double, double)[] measured =
            [(1e-5, 100), (2e-5, 100), (4e-5, 100), (8e-5, 100), (0.5, 60), (0.6, 20), (0.7, 55), (0.8, 15), (0.9, 40)];
        var predictor = new ScorePredictor(measured);
        Assert.True(predictor.Predict(5e-5).Deviation < predictor.Predict(0.7).Deviation / 2);
        var (low, high) = predictor.Predict(5e-5).Interval(0.8);
        Assert.True(low < 100 && high == 100);
    }

    [Fact]
    public void LeaveOneOut_PredictsFromTheOthers()
    {
        var others = new ScorePredictor([(0.01, 90), (0.1, 70), (1, 50)]).LeaveOneOut();
        Assert.Equal([90.0, 70, 50], others.Select(other => other.Score));
        Assert.Equal([70.0, 70, 70], others.Select(other => Math.Round(other.Predicted.Mean, 9)));
    }

    [Theory]
    [InlineData(0.5, 0)]
    [InlineData(0.975, 1.959963984540054)]
    [InlineData(0.1, -1.2815515655446004)]
    public void Quantile_KnownValues(double share, double expected) =>
        Assert.Equal(expected, NormalDistribution.Quantile(share), 1e-9);

    /// <summary>Ranks 1, 2.5, 2.5, 4 and 4, 3, 1, 2: covariance −3, variances 4.5 and 5.</summary>
    [Fact]
    public void RankCorrelation_KnownValues()
    {
        Assert.Equal(-3 / Math.Sqrt(4.5 * 5), RankCorrelation.Of([1, 2, 2, 9], [40, 30, 1, 2])!.Value, 12);
        Assert.Equal(1, RankCorrelation.Of([1, 2, 3], [1, 10, 100])!.Value, 12);
        Assert.Null(RankCorrelation.Of([1, 2, 3], [5, 5, 5]));
    }

    /// <summary>The box up to (10, 0): what (6, 50) and (2, 20) leave above them at 4 bytes is 4 × (50 − 20) below 50, and all to the right
    /// above it.</summary>
    [Fact]
    public void ExpectedGain_OfACertainScore_IsTheVolumeItAdds()
    {
        var frontier = new KnownFrontier([(6, 50), (2, 20)], 10);
        Assert.Equal(2 * 20, frontier.ExpectedGain(4, new(40, 0)), 9);
        Assert.Equal(2 * 30 + 6 * 10, frontier.ExpectedGain(4, new(60, 0)), 9);
        Assert.Equal(0, frontier.ExpectedGain(4, new(20, 0)));
        Assert.Equal((20.0, 1), frontier.BestWithin(5));
        Assert.Equal((0.0, -1), frontier.BestWithin(1));
    }

    private static SearchPoint Baseline(PointState state, int right = 0) =>
        SomePoint.Of("w16a16-k16v16", 100, state == PointState.Open ? "" : Seen(right), state: state, isBaseline: true, divergence: 1e-7);

    private static SearchPoint Point(int peak, double divergence, int? right = null) => SomePoint.Of(
        $"w16a16-k8v8-t64-c{peak}", peak, right is { } count ? Seen(count) : "",
        state: right is null ? PointState.Open : PointState.Measured, divergence: divergence);

    private static SearchStep Next(params SearchPoint[] points) => new PredictSearch(Options).Next(points);
}
