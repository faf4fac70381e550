using System.Globalization;
using FsCheck;
using FsCheck.Fluent;
using KvPareto.Sweep.Reports.Pictures;

namespace KvPareto.Sweep.Tests.Reports.Pictures;

public class AxisTests
{
    [Fact]
    public void Memory_HoldsItsRangeAndHasTicksToReadItBy() => Prop.ForAll(
        Arb.From(from power in Gen.Choose(0, 34)
                 from low in Gen.Choose(1, 1 << 16)
                 from factor in Gen.Choose(0, 3000)
                 select (power, low, factor)),
        range =>
        {
            var low = (long)range.low << range.power;
            var high = low + (long)(low * (range.factor * range.factor / 10_000.0));
            var axis = Axis.Memory([low, high]);
            Assert.InRange(axis.Share(low), 0, axis.Share(high));
            Assert.InRange(axis.Share(high), 0, 1);
            Assert.InRange(axis.Ticks.Count, 2, 10);
            Assert.Equal(axis.Ticks.Count, axis.Ticks.Select(tick => tick.Label).Distinct().Count());
            Assert.All(axis.Ticks, tick => Assert.InRange(axis.Share(tick.Value), 0, 1));
        }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData(0, 0)]
    [InlineData(100, 100)]
    [InlineData(0, 100)]
    [InlineData(73.25, 73.25)]
    [InlineData(99.5, 100)]
    public void Score_HoldsItsRangeAndNamesOnlyTrueScores(double low, double high)
    {
        var axis = Axis.Score(low, high);
        Assert.InRange(axis.Share(low), 0.03, 0.97);
        Assert.InRange(axis.Share(high), 0.03, 0.97);
        Assert.InRange(axis.Ticks.Count, 2, 9);
        Assert.All(axis.Ticks, tick => Assert.InRange(tick.Value, 0, 100));
    }

    [Fact]
    public void Memory_NamesItsUnit()
    {
        Assert.Equal("Total peak memory (MiB)", Axis.Memory([3 << 20, 12 << 20]).Title);
        Assert.Equal(["6", "8", "10", "12"], Axis.Memory([5 << 20, 12 << 20]).Ticks.Select(tick => tick.Label));
        Assert.Equal(
            ["32 KiB", "256 KiB", "2 MiB", "16 MiB", "128 MiB", "1 GiB", "8 GiB"],
            Axis.Memory([1 << 16, 10L << 30]).Ticks.Select(tick => tick.Label));
    }

    [Fact]
    public void Memory_CutsOutTheEmptyStretchBeforeAFarOffPoint()
    {
        long[] peaks = [129, 134, 139, 149, 159, 197, 274, 304, 342, 853];
        var axis = Axis.Memory([.. peaks.Select(peak => peak << 20)]);
        Assert.Equal("Total peak memory (MiB, axis broken)", axis.Title);
        var cut = Assert.Single(axis.Breaks);
        Assert.InRange(cut, axis.Share(342 << 20), axis.Share(853 << 20));
        Assert.InRange(axis.Share(342 << 20) - axis.Share(129 << 20), 0.5, 0.9);
        Assert.All(axis.Ticks.Zip(axis.Ticks.Skip(1)), pair => Assert.True(axis.Share(pair.First.Value) < axis.Share(pair.Second.Value)));
        Assert.Contains(axis.Ticks, tick => axis.Share(tick.Value) > cut);
        // One scale on both sides.
        Assert.Equal(
            (axis.Share(304 << 20) - axis.Share(274 << 20)) / 30, (axis.Share(900 << 20) - axis.Share(853 << 20)) / 47, 9);
    }

    [Theory]
    [InlineData(2.781, 4.465, 5.616, 2.781)]
    [InlineData(3.542, 4.955, 7.352, 7.352)]
    public void Memory_NamesTheOneValueOfAPartWithoutRoundOnes(double low, double middle, double high, double alone)
    {
        long[] peaks = [.. new[] { low, middle, high, alone }.Select(peak => (long)(peak * (1 << 20)))];
        var tick = Assert.Single(Axis.Memory(peaks[..3]).Ticks, tick => tick.Label.Length > 3);
        Assert.Equal((peaks[3], alone.ToString(CultureInfo.InvariantCulture)), (tick.Value, tick.Label));
    }

    [Fact]
    public void Memory_CutsOutNothingWhereValuesAreSpread()
    {
        Assert.Empty(Axis.Memory([100, 130, 160, 190]).Breaks);
        Assert.Empty(Axis.Memory([100, 190]).Breaks);
        Assert.Empty(Axis.Memory([100]).Breaks);
    }

    [Fact]
    public void Memory_HoldsAnyValues() => Prop.ForAll(
        Arb.From(Gen.NonEmptyListOf(Gen.Choose(1, 1 << 30))),
        values =>
        {
            var axis = Axis.Memory([.. values.Select(value => (long)value)]);
            Assert.All(values, value => Assert.InRange(axis.Share(value), 0, 1));
            var sorted = values.Order().ToList();
            Assert.All(sorted.Zip(sorted.Skip(1)), pair => Assert.True(axis.Share(pair.First) <= axis.Share(pair.Second)));
            Assert.InRange(axis.Ticks.Count, 2, 20);
        }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData(4e-7, 12)]
    [InlineData(0.03, 0.05)]
    [InlineData(2, 2)]
    [InlineData(1e-12, 1e12)]
    public void Logarithmic_HoldsItsRangeAndHasTicksToReadItBy(double low, double high)
    {
        var axis = Axis.Logarithmic(low, high, "x");
        Assert.InRange(axis.Share(low), 0.01, axis.Share(high));
        Assert.InRange(axis.Share(high), 0.02, 0.99);
        Assert.InRange(axis.Ticks.Count, 3, 30);
        Assert.All(axis.Ticks, tick =>
            Assert.Equal(tick.Value, double.Parse(tick.Label, System.Globalization.CultureInfo.InvariantCulture), tick.Value * 1e-9));
    }

    [Fact]
    public void Bits_NamesTheWidthsInUse() =>
        Assert.Equal(["2", "2.5", "3", "4", "5", "6", "8", "10", "12", "16"], Axis.Bits(2.1, 16, "x").Ticks.Select(tick => tick.Label));
}
