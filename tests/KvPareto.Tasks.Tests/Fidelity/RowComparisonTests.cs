using KvPareto.Tasks.Fidelity;

namespace KvPareto.Tasks.Tests.Fidelity;

public class RowComparisonTests
{
    private const double Tolerance = 1e-12;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(7)]
    [InlineData(8)]
    [InlineData(33)]
    [InlineData(1003)]
    public void Of_IsTheDefinition(int width)
    {
        var random = new Random(width);
        for (var trial = 0; trial < 20; trial++)
        {
            var (a, b) = (Row(random, width, -3), Row(random, width, 40));
            var next = random.Next(width);
            var actual = RowComparison.Of(a, b, next);
            var (p, q) = (LogSoftmax(a), LogSoftmax(b));
            Assert.Equal(p.Select((value, i) => Math.Exp(value) * (value - q[i])).Sum(), actual.Divergence, Tolerance * 100);
            Assert.Equal((-q[next], -p[next]), (actual.Surprise, actual.ReferenceSurprise), new Near());
            Assert.Equal(Array.IndexOf(a, a.Max()) == Array.IndexOf(b, b.Max()), actual.SameTop);
        }
    }

    [Fact]
    public void Of_SeesADivergenceFarBelowAnF32sPrecision()
    {
        var a = Row(new Random(5), 4096, 0);
        var b = a.ToArray();
        var top = Array.IndexOf(a, a.Max());
        b[top] += 1e-3f;
        // To second order, moving one logit by d costs p(1 − p)d²/2.
        var (p, d) = (Math.Exp(LogSoftmax(a)[top]), b[top] - (double)a[top]);
        var expected = p * (1 - p) * d * d / 2;
        Assert.InRange(expected, 1e-10, 1e-8);
        Assert.InRange(RowComparison.Of(a, b, 0).Divergence / expected, 0.999, 1.001);
    }

    [Fact]
    public void Of_RowsThatDifferByAConstantOnly_HaveNone()
    {
        float[] a = [1, 2, 4, 0.5f, -8, 16, 0.25f, 3, 5, 6, 7];
        Assert.Equal(new RowComparison(0, true, 0, 0), RowComparison.Of(a, a, RowComparison.NoNext));
        Assert.Equal(0, RowComparison.Of(a, Array.ConvertAll(a, value => value + 64), 3).Divergence);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void Of_ALogitThatIsNotFinite_IsSeen(float value)
    {
        foreach (var place in new[] { 0, 9, 18 })
        {
            var a = Row(new Random(1), 19, 0);
            var b = Row(new Random(2), 19, 0);
            b[place] = value;
            Assert.False(double.IsFinite(RowComparison.Of(a, b, 1).Divergence));
            if (float.IsNegativeInfinity(value)) continue; // a token that the reference rules out costs nothing
            Assert.False(double.IsFinite(RowComparison.Of(b, a, 1).Divergence));
        }
    }

    private static float[] Row(Random random, int width, float offset) =>
        [.. Enumerable.Range(0, width).Select(_ => offset + 12 * (float)(random.NextDouble() - 0.5))];

    private static double[] LogSoftmax(float[] row)
    {
        var sum = row.Sum(value => Math.Exp(value - (double)row.Max()));
        return Array.ConvertAll(row, value => value - (double)row.Max() - Math.Log(sum));
    }

    private sealed class Near : IEqualityComparer<(double, double)>
    {
        public bool Equals((double, double) x, (double, double) y) =>
            Math.Abs(x.Item1 - y.Item1) < Tolerance * 100 && Math.Abs(x.Item2 - y.Item2) < Tolerance * 100;

        public int GetHashCode((double, double) pair) => 0;
    }
}
