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
            Point(58, 0.06), Point(55, 0.06), Point(57, 0.06));
        Assert.Equal((6, 4), One(step));
    }

    /// <summary>Setting 6 diverges like 2, which has 15 of 16, and is lighter; what is as light has 12. As long as it is right it goes on,
    /// from 4 to 8 to 16 samples; wrong on the first 4, it is expected to stay below 12.</summary>
    [Fact]
    public void Next_DoublesSamplesAsLongAsTheIntervalReaches()
    {
        SearchPoint[] Points(string seen) =>
        [
            Baseline(PointState.Measured, 16), Point(80, 0.005, 16), Point(60, 0.05, 15), Point(50, 0.2, 12), Point(30, 1, 2),
            Point(90, 0.5), SomePoint.Of("w16a16-k8v8-t64-c55", 55, seen, divergence: 0.06),
        ];
        Assert.Equal((6, 4), One(Next(Points("111"))));
        Assert.Equal((6, 8), One(Next(Points("1111"))));
        Assert.Equal((6, 8), One(Next(Points("1111111"))));
        Assert.Equal([new WholeWish(6)], Next(Points("11111111")).Wishes);
        Assert.Equal([5, 6], Next(Points("0000")).Dropped.Select(verdict => verdict.Point));
        Assert.StartsWith(
            "at a divergence of 0.06 nats and after 4 of 16 samples a score of ", Next(Points("0000")).Dropped[1].Reason,
            StringComparison.Ordinal);
        // Decisions look at no more than they asked for.
        Assert.Equal([5, 6], Next(Points("000011111111")).Dropped.Select(verdict => verdict.Point));
    }

    [Fact]
    public void Next_WithoutLevels_MeasuresWholeAtOnce()
    {
        var step = new PredictSearch(Options with { Levels = 0 }).Next([
            Baseline(PointState.Measured, 16), Point(80, 0.005, 16), Point(60, 0.05, 15), Point(50, 0.2, 12), Point(30, 1, 2),
            Point(55, 0.06)]);
        Assert.Equal([new WholeWish(5)], step.Wishes);
    }

    /// <summary>Peaks from 30 to 100 bytes and scores of up to 100 points: setting 5 may add a box of 5 bytes × up to 25 points to some
    /// thousands.</summary>
    [Fact]
    public void Next_EndsWhereTooLittleIsExpectedToBeGained()
    {
        SearchPoint[] points =
        [
            Baseline(PointState.Measured, 16), Point(80, 0.005, 16), Point(60, 0.05, 15), Point(50, 0.2, 12), Point(30, 1, 2),
            Point(55, 0.06),
        ];
        SearchStep With(double gain) => new PredictSearch(Options with { Gain = gain }).Next(points);
        Assert.Equal((5, 4), One(With(0.1)));
        Assert.Empty(With(5).Wishes);
        var reason = Assert.Single(With(5).Dropped).Reason;
        Assert.EndsWith(" % of hypervolume are expected of it", reason, StringComparison.Ordinal);
        Assert.DoesNotContain("hypervolume", Assert.Single(new PredictSearch(Options with { Margin = 90 }).Next(points).Dropped).Reason,
            StringComparison.Ordinal);
    }

    /// <summary>Two settings of one divergence: that the first was wrong on all it was asked lowers what is predicted of the
    /// second.</summary>
    [Fact]
    public void Forecast_LearnsFromParts()
    {
        SearchPoint[] points =
        [
            Baseline(PointState.Measured, 16), Point(50, 0.2, 12), SomePoint.Of("w16a16-k4v4-t64", 40, "0000", divergence: 0.2),
            Point(45, 0.2),
        ];
        ScorePrediction Of(int level) => new ScoreForecast(
            points, [0, 1], new Dictionary<int, int> { [2] = level, [3] = 0 }, new SampleLevels(points[0].Tasks, 2)).Of(3);
        Assert.Equal(75, Of(0).Mean, 9);
        Assert.True(Of(1).Mean < 70 && Of(1).Mean > 25);
    }

    /// <summary>Precisions 1/4² and 1/2²: the mean lies four fifths of the way to what is four times as precise.</summary>
    [Fact]
    public void PredictionWith_WeighsByPrecision()
    {
        var both = new ScorePrediction(50, 4).With(60, 2);
        Assert.Equal(58, both.Mean, 9);
        Assert.Equal(Math.Sqrt(16 / 5.0), both.Deviation, 9);
        Assert.Equal(new ScorePrediction(60, 0), new ScorePrediction(50, 4).With(60, 0));
    }

    [Theory]
    [InlineData(4, 0.5, 57.302, 62.698)]
    [InlineData(4, 1, 0, 100)]
    [InlineData(0, 0.5, 60, 60)]
    [InlineData(0, 1, 60, 60)]
    public void Interval_OfWhatIsCertainIsAPoint(double deviation, double confidence, double low, double high)
    {
        var interval = new ScorePrediction(60, deviation).Interval(NormalDistribution.HalfWidth(confidence));
        Assert.Equal((low, high), (Math.Round(interval.Low, 3), Math.Round(interval.High, 3)));
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
    public void Predictor_OfPointsOfOneDivergence_IsTheirMean() =>
        Assert.Equal(70, new ScorePredictor([(0.01, 90), (0.1, 80), (0.1, 60)]).Predict(0.1).Mean, 9);

    [Fact]
    public void Predictor_IsSurerWhereItsErrorsAreSmaller()
    {
        (double, double)[] measured =
            [(1e-5, 100), (2e-5, 100), (4e-5, 100), (8e-5, 100), (0.5, 60), (0.6, 20), (0.7, 55), (0.8, 15), (0.9, 40)];
        var predictor = new ScorePredictor(measured);
        Assert.True(predictor.Predict(5e-5).Deviation < predictor.Predict(0.7).Deviation / 2);
        var (low, high) = predictor.Predict(5e-5).Interval(NormalDistribution.HalfWidth(0.8));
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

    // The setting that is asked for, and how many of its samples.
    private static (int Point, int Samples) One(SearchStep step) =>
        Assert.IsType<PartWish>(Assert.Single(step.Wishes)) is var wish ? (wish.Point, Assert.Single(wish.Counts)) : default;

    private static SearchStep Next(params SearchPoint[] points) => new PredictSearch(Options).Next(points);
}
