using KvPareto.Engine.Settings;
using KvPareto.Sweep.Search;

namespace KvPareto.Sweep.Tests.Search;

public class Nsga2SearchTests
{
    private static readonly Nsga2Options Options = new() { Seed = 1, Population = 6, Generations = 3 };

    private static readonly string[] Settings =
    [
        "w16a16-k16v16",
        .. from weights in new[] { "w16", "w8", "w4" }
           from cache in new[] { "k8v8", "k8v4", "k4v4", "k4v2", "k2v2" }
           from chunk in new[] { "c64", "c256" }
           select $"{weights}a16-{cache}-t64-{chunk}",
    ];

    [Fact]
    public void Next_BeginsWithTheBaselineAndThePopulationFromLightToHeavy()
    {
        var step = new Nsga2Search(Options).Next(Points([]));
        Assert.Equal(6, step.Wishes.Count);
        Assert.Contains(new WholeWish(0), step.Wishes);
        var peaks = step.Wishes.Select(wish => Points([])[wish.Point].PeakBytes).ToList();
        Assert.Equal((Points([]).Min(point => point.PeakBytes), Points([]).Max(point => point.PeakBytes)), (peaks.Min(), peaks.Max()));
    }

    [Fact]
    public void Next_GoesOnForSomeGenerations_AndDropsTheRest()
    {
        var measured = new HashSet<int>();
        var generations = 0;
        while (new Nsga2Search(Options).Next(Points(measured)) is { Wishes: { Count: > 0 } wishes })
        {
            Assert.Equal(6, wishes.Count);
            Assert.All(wishes, wish => Assert.True(measured.Add(wish.Point)));
            generations++;
        }
        Assert.Equal((3, 18), (generations, measured.Count));
        var dropped = new Nsga2Search(Options).Next(Points(measured)).Dropped;
        Assert.Equal(Settings.Length - 18, dropped.Count);
        Assert.Equal("not chosen in 3 generations of 6 settings", dropped[0].Reason);
    }

    [Fact]
    public void Next_ComesToTheSameChildren_WhateverElseIsMeasured()
    {
        var first = new Nsga2Search(Options).Next(Points([])).Wishes.Select(wish => wish.Point).ToHashSet();
        var second = new Nsga2Search(Options).Next(Points(first)).Wishes;
        var half = second.Take(2).Select(wish => wish.Point).Concat(first).ToHashSet();
        Assert.Equal(second.Skip(2), new Nsga2Search(Options).Next(Points(half)).Wishes);
        Assert.NotEqual(second, new Nsga2Search(Options with { Seed = 2 }).Next(Points(first)).Wishes);
    }

    [Fact]
    public void Next_EndsWhereEverythingFailed()
    {
        SearchPoint[] points = [.. Settings.Select(setting => SomePoint.Of(setting, 10, "", state: PointState.Failed))];
        Assert.Equal((0, 0), Counts(new Nsga2Search(Options).Next(points)));

        static (int, int) Counts(SearchStep step) => (step.Wishes.Count, step.Dropped.Count);
    }

    /// <summary>Three fronts; within the first the ends come before the middle.</summary>
    [Fact]
    public void Order_IsByFrontThenByRoom()
    {
        double[][] costs = [[5, 5], [2, 2], [0, 4], [4, 0], [1, 2.5], [6, 6]];
        Assert.Equal([2, 3, 1, 4, 0, 5], NonDominatedSort.Order(costs));
    }

    /// <summary>Neighbours of (1, 2) lie 3 of 4 apart in one objective and 3 of 4 in the other.</summary>
    [Fact]
    public void Crowding_KnownValues_HandCalculated()
    {
        double[][] costs = [[0, 4], [1, 2], [3, 1], [4, 0]];
        Assert.Equal(
            [double.PositiveInfinity, 0.75 + 0.75, 0.75 + 0.5, double.PositiveInfinity],
            NonDominatedSort.Crowding(costs, [0, 1, 2, 3]));
    }

    private static SearchPoint[] Points(HashSet<int> measured) => [.. Settings.Select((name, index) =>
    {
        var setting = InferenceSetting.Parse(name);
        var right = Math.Min(16, setting.Cache.Keys.Bits + setting.Cache.Values.Bits);
        return SomePoint.Of(
            name, FakeEngine.PeakOf(setting) + (setting.Chunk ?? 0), new string('1', right) + new string('0', 16 - right),
            state: measured.Contains(index) ? PointState.Measured : PointState.Open, isBaseline: index == 0);
    })];
}
