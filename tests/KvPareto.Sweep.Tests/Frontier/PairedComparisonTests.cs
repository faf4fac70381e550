using KvPareto.Sweep.Frontier;
using KvPareto.Sweep.Results;

namespace KvPareto.Sweep.Tests.Frontier;

public class PairedComparisonTests
{
    /// <summary>numpy: std([1, 0, 1, 1, 0.5], ddof=1) / sqrt(5) = 0.2; of two tasks √(0.2² + 0.25²) / 2.</summary>
    [Fact]
    public void StandardError_KnownValues()
    {
        Assert.Equal(20, PairedComparison.StandardError([[1, 0, 1, 1, 0.5]])!.Value, 1e-9);
        Assert.Equal(25, PairedComparison.StandardError([[1, 0, 1, 1]])!.Value, 1e-9);
        Assert.Equal(
            50 * Math.Sqrt(0.2 * 0.2 + 0.25 * 0.25), PairedComparison.StandardError([[1, 0, 1, 1, 0.5], [1, 0, 1, 1]])!.Value, 1e-9);
        Assert.Null(PairedComparison.StandardError([[1, 0, 1, 1], [1]]));
    }

    [Fact]
    public void Loss_PairsSamplesTaskByTask()
    {
        TaskScore[] before = [Task("a", 1, 1, 1, 1), Task("b", 1, 0)];
        TaskScore[] after = [Task("a", 1, 0, 0, 1), Task("b", 1, 0)];
        var loss = PairedComparison.Loss(before, after, new(0, 0), seed: 1);
        Assert.Equal(25, loss.Points, 1e-9);
        // Differences 0, 1, 1, 0: variance 1/3 over 4; task b does not differ; the mean of two tasks.
        Assert.Equal(50 * Math.Sqrt(1 / 12.0), loss.StandardError!.Value, 1e-9);
        Assert.Equal(0.5, loss.P, 1e-12);
    }

    /// <summary>statsmodels.stats.multitest.multipletests([0.01, 0.04, 0.03, 0.005], method='holm').</summary>
    [Fact]
    public void Holm_KnownValues()
    {
        var adjusted = PairedComparison.Holm([0.01, 0.04, 0.03, 0.005]);
        double[] expected = [0.03, 0.06, 0.06, 0.02];
        for (var i = 0; i < expected.Length; i++) Assert.Equal(expected[i], adjusted[i], 1e-12);
        Assert.Equal([1, 1], PairedComparison.Holm([0.6, 0.9]));
        Assert.Empty(PairedComparison.Holm([]));
    }

    private static TaskScore Task(string name, params double[] samples) =>
        new(name, "digest", samples.Length, 100 * samples.Average(), samples);
}
