using KvPareto.Engine;

namespace KvPareto.Sweep.Frontier;

/// <summary>
/// Paired permutation test of differences, two-sided: if two settings were alike, each sample's difference could as well have had the
/// other sign, so the p value is the share of all choices of signs whose sum is at least as far from 0 (Fisher, "The Design of
/// Experiments", § 21). For scores that are 0 or 1 it is McNemar's exact test. Exact where the signs make few different sums, else from
/// seeded draws.
/// </summary>
internal static class SignFlipTest
{
    /// <summary>Draws where the test is not exact: the least p value is then 1 / (<see cref="Draws"/> + 1).</summary>
    public const int Draws = 9_999;

    /// <summary>Most sums that are gone through one by one.</summary>
    public const int MostSums = 1 << 16;

    // Of the largest difference: what lies below is rounding.
    private const double Tolerance = 1e-9;

    /// <summary>The p value: 1 where nothing differs.</summary>
    /// <param name="differences">One a sample, in whatever units.</param>
    /// <param name="stream">Seed of the draws.</param>
    public static double P(IReadOnlyCollection<double> differences, ulong stream)
    {
        var least = Tolerance * differences.Select(Math.Abs).DefaultIfEmpty().Max();
        double[] sizes = [.. differences.Select(Math.Abs).Where(size => size > least).Order()];
        if (sizes.Length == 0) return 1;
        var far = Math.Abs(differences.Sum()) - least * sizes.Length;
        return IsExact(sizes, least) ? Exact(sizes, least, far) : Drawn(sizes, far, stream);
    }

    private static bool IsExact(double[] sizes, double least)
    {
        var sums = 1L;
        foreach (var (_, count) in Alike(sizes, least))
            if ((sums *= count + 1) > MostSums) return false;
        return true;
    }

    // Of n differences of one size, k are positive with the binomial's probability; sizes are independent of each other.
    private static double Exact(double[] sizes, double least, double far)
    {
        List<(double Sum, double Share)> all = [(0, 1)];
        foreach (var (size, count) in Alike(sizes, least))
        {
            var shares = Binomial(count);
            all = [.. all.SelectMany(_ => Enumerable.Range(0, count + 1), (part, positive) =>
                (part.Sum + size * (2 * positive - count), part.Share * shares[positive]))];
        }
        return Math.Min(1, all.Where(part => Math.Abs(part.Sum) >= far).Sum(part => part.Share));
    }

    private static double Drawn(double[] sizes, double far, ulong stream)
    {
        var random = new SplitMix64(stream);
        var asFar = 0;
        for (var draw = 0; draw < Draws; draw++)
        {
            var (sum, bits) = (0.0, 0UL);
            for (var i = 0; i < sizes.Length; i++, bits >>= 1)
            {
                if (i % 64 == 0) bits = random.Next();
                sum += (bits & 1) == 0 ? sizes[i] : -sizes[i];
            }
            if (Math.Abs(sum) >= far) asFar++;
        }
        // What was measured is one of the choices.
        return (asFar + 1.0) / (Draws + 1);
    }

    // Sizes in rising order, those that only rounding tells apart together.
    private static IEnumerable<(double Size, int Count)> Alike(double[] sizes, double least)
    {
        for (var (start, end) = (0, 0); start < sizes.Length; start = end)
        {
            for (end = start + 1; end < sizes.Length && sizes[end] - sizes[start] <= least;) end++;
            yield return (sizes[start], end - start);
        }
    }

    // Probabilities of 0 to n heads of n fair coins.
    private static double[] Binomial(int n)
    {
        var shares = new double[n + 1];
        var log = -n * Math.Log(2);
        for (var k = 0; k <= n; k++)
        {
            shares[k] = Math.Exp(log);
            log += Math.Log(n - k) - Math.Log(k + 1);
        }
        return shares;
    }
}
