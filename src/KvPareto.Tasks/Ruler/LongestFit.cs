namespace KvPareto.Tasks.Ruler;

/// <summary>Finds the largest size whose prompt has room.</summary>
internal static class LongestFit
{
    // Tries by the tokens of a unit, after which the gap is halved.
    private const int Estimates = 6;

    /// <summary>
    /// The prompt of the largest size of at most <paramref name="room"/> tokens: one unit more has more tokens. Null where even the least
    /// does not fit.
    /// </summary>
    /// <param name="least">Smallest size.</param>
    /// <param name="most">Largest size.</param>
    /// <param name="room">Most tokens.</param>
    /// <param name="build">Ids of a size.</param>
    public static int[]? Find(int least, int most, int room, Func<int, int[]> build)
    {
        var (size, ids) = (least, build(least));
        if (ids.Length > room) return null;
        var (beyond, perUnit) = ((long)most + 1, 4.0);
        for (var tries = 0; beyond - size > 1; tries++)
        {
            var wanted = tries < Estimates || beyond > most ? size + (long)((room - ids.Length) / perUnit) : (size + beyond) / 2;
            var next = (int)Math.Clamp(wanted, size + 1, beyond - 1);
            var found = build(next);
            perUnit = Math.Max(0.01, (double)(found.Length - ids.Length) / (next - size));
            if (found.Length <= room) (size, ids) = (next, found);
            else beyond = next;
        }
        return ids;
    }
}
