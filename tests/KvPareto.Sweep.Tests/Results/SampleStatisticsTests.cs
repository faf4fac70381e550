using KvPareto.Sweep.Results;

namespace KvPareto.Sweep.Tests.Results;

public class SampleStatisticsTests
{
    [Theory]
    [InlineData(new double[] { }, null)]
    [InlineData(new[] { 3.0 }, 3.0)]
    [InlineData(new[] { 9.0, 1, 5 }, 5.0)]
    [InlineData(new[] { 9.0, 1, 5, 2 }, 3.5)]
    public void Median_KnownValues(double[] values, double? expected) => Assert.Equal(expected, SampleStatistics.Median(values));
}
