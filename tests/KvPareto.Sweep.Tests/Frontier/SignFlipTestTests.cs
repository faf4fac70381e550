using KvPareto.Sweep.Frontier;

namespace KvPareto.Sweep.Tests.Frontier;

public class SignFlipTestTests
{
    /// <summary>Exact values, by hand: of 2ⁿ choices of signs those at least as far from 0.</summary>
    [Theory]
    [InlineData(new double[] { }, 1)]
    [InlineData(new[] { 0.0, 0, 0 }, 1)]
    [InlineData(new[] { 1.0 }, 1)]
    [InlineData(new[] { 1.0, 1, 1, 1, 1 }, 2 / 32.0)]
    [InlineData(new[] { 1.0, 1, 1, 1, -1, 0, 0 }, 12 / 32.0)]
    [InlineData(new[] { -1.0, -1, -1, -1, -1, -1, -1, -1, 1, 1 }, 112 / 1024.0)]
    [InlineData(new[] { 0.5, 0.25, 0.125 }, 2 / 8.0)]
    [InlineData(new[] { 0.5, 0.25, -0.125 }, 4 / 8.0)]
    [InlineData(new[] { 1.0, -1 }, 1)]
    public void P_KnownValues(double[] differences, double expected) =>
        Assert.Equal(expected, SignFlipTest.P(differences, 1), 1e-12);

    /// <summary>Means over many samples and tasks have small differences; they are no less different for it.</summary>
    [Theory]
    [InlineData(1e-12)]
    [InlineData(1e-7)]
    [InlineData(1e6)]
    public void P_DoesNotDependOnTheUnit(double unit)
    {
        double[] differences = [.. Enumerable.Range(0, 1000).Select(i => i < 420 ? 1.0 : -1.0)];
        Assert.Equal(SignFlipTest.P(differences, 1), SignFlipTest.P([.. differences.Select(value => unit * value)], 1), 1e-12);
        double[] uneven = [.. Enumerable.Range(1, 40).Select(i => i % 3 == 0 ? -Math.Sqrt(i) : Math.Sqrt(i))];
        Assert.Equal(SignFlipTest.P(uneven, 1), SignFlipTest.P([.. uneven.Select(value => unit * value)], 1), 1e-12);
    }

    /// <summary>scipy.stats.binomtest(420, 1000).pvalue: McNemar's exact test of 1,000 samples that differ.</summary>
    [Fact]
    public void P_OfManySamplesOfZeroAndOne_IsTheBinomialTests()
    {
        double[] differences = [.. Enumerable.Range(0, 1000).Select(i => i < 420 ? 1.0 : -1.0)];
        Assert.Equal(BinomialTwoSided(1000, 420), SignFlipTest.P(differences, 1), 1e-12);
        Assert.InRange(SignFlipTest.P(differences, 1), 4e-7, 5e-7);
    }

    [Fact]
    public void P_OfManySizes_IsDrawnNearTheExactOne()
    {
        // 2²⁰ sums are gone through here, too many for the test itself.
        double[] differences = [.. Enumerable.Range(1, 20).Select(i => i % 3 == 0 ? -i / 100.0 : i / 100.0)];
        var far = Math.Abs(differences.Sum());
        var count = 0;
        for (var signs = 0; signs < 1 << 20; signs++)
        {
            var sum = 0.0;
            for (var i = 0; i < 20; i++) sum += (signs >> i & 1) == 0 ? differences[i] : -differences[i];
            if (Math.Abs(sum) >= far - 1e-12) count++;
        }
        var exact = count / (double)(1 << 20);
        var p = SignFlipTest.P(differences, 1);
        Assert.Equal(exact, p, 5 * Math.Sqrt(exact * (1 - exact) / SignFlipTest.Draws));
        Assert.Equal(p, SignFlipTest.P([.. differences.Reverse()], 1));
        Assert.NotEqual(p, SignFlipTest.P(differences, 2));
    }

    [Fact]
    public void P_IsNeverZero() =>
        Assert.Equal(1.0 / (SignFlipTest.Draws + 1), SignFlipTest.P([.. Enumerable.Range(1, 200).Select(i => 1 + i / 1000.0)], 1));

    private static double BinomialTwoSided(int n, int k)
    {
        var (sum, log) = (0.0, -n * Math.Log(2));
        for (var i = 0; i <= n; i++)
        {
            if (Math.Abs(2 * i - n) >= Math.Abs(2 * k - n)) sum += Math.Exp(log);
            log += Math.Log(n - i) - Math.Log(i + 1);
        }
        return sum;
    }
}
