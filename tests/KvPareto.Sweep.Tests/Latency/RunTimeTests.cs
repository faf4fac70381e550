using KvPareto.Sweep.Latency;

namespace KvPareto.Sweep.Tests.Latency;

public class RunTimeTests
{
    [Fact]
    public void Time_IsTheMedianWithTheSamplesDeviation()
    {
        Assert.Null(RunTime.Of([], 1));
        Assert.Equal(new RunTime(4, null, 1), RunTime.Of([4], 1));
        Assert.Equal(new RunTime(3, Math.Sqrt(2), null), RunTime.Of([4, 2], null));
        // Mean 5, squares 16 + 1 + 25 over two.
        Assert.Equal(new RunTime(4, Math.Sqrt(21), null), RunTime.Of([10, 1, 4], null));
    }
}
