namespace KvPareto.Sweep.Search;

/// <summary>The standard normal distribution.</summary>
internal static class NormalDistribution
{
    private const double SeriesLimit = 3.5;
    private const int FractionTerms = 60;
    private const double FarthestQuantile = 40;
    private const double QuantileStep = 1e-12;

    /// <summary>Chance of a value below <paramref name="z"/>, to about 14 digits.</summary>
    public static double Below(double z) => z < 0 ? 1 - Below(-z) : z <= SeriesLimit ? 0.5 + Series(z) : 1 - Tail(z);

    /// <summary>The value below which a share lies: bisection, to about 12 digits.</summary>
    /// <param name="share">0 to 1.</param>
    public static double Quantile(double share)
    {
        if (share is <= 0 or >= 1) return share <= 0 ? double.NegativeInfinity : double.PositiveInfinity;
        var (low, high) = (-FarthestQuantile, FarthestQuantile);
        while (high - low > QuantileStep)
        {
            var middle = (low + high) / 2;
            if (Below(middle) < share) low = middle;
            else high = middle;
        }
        return (low + high) / 2;
    }

    /// <summary>Standard deviations to either side of the mean between which a share lies.</summary>
    /// <param name="share">0 to 1.</param>
    public static double HalfWidth(double share) => Quantile((1 + share) / 2);

    /// <summary>Density at <paramref name="z"/>.</summary>
    public static double Density(double z) => Math.Exp(-z * z / 2) / Math.Sqrt(2 * Math.PI);

    // Marsaglia, "Evaluating the Normal Distribution" (2004): density times z + z³/3 + z⁵/15 + …
    private static double Series(double z)
    {
        var (term, sum) = (z, z);
        for (var i = 3; term > 1e-17 * sum; i += 2) sum += term *= z * z / i;
        return sum * Density(z);
    }

    // Laplace's continued fraction: density / (z + 1 / (z + 2 / (z + 3 / …))).
    private static double Tail(double z)
    {
        var fraction = z;
        for (var i = FractionTerms; i > 0; i--) fraction = z + i / fraction;
        return Density(z) / fraction;
    }
}
