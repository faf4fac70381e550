namespace KvPareto.Cuda.Tests;

/// <summary>How far results lie apart: the norm of their difference, as a share of that of what is expected.</summary>
internal static class RelativeError
{
    /// <inheritdoc cref="RelativeError"/>
    public static double Of(double[] expected, float[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        return Math.Sqrt(expected.Zip(actual, (e, a) => Math.Pow(e - a, 2)).Sum() / expected.Sum(e => e * e));
    }

    /// <inheritdoc cref="RelativeError"/>
    public static double Of(float[] expected, float[] actual) => Of(Array.ConvertAll(expected, e => (double)e), actual);
}
