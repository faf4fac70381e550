namespace KvPareto.Tasks.Metrics;

/// <summary>
/// Finds a text in a text in linear time (Knuth, Morris and Pratt, 1977); <see cref="string.Contains(string)"/> takes the product of their
/// lengths where both repeat themselves.
/// </summary>
internal static class TextSearch
{
    /// <summary>Whether <paramref name="text"/> holds <paramref name="wanted"/>, character by character.</summary>
    public static bool Contains(string text, string wanted, ScoreBudget budget)
    {
        budget.Spend(text.Length + wanted.Length);
        if (wanted.Length > text.Length) return false;
        if (wanted.Length == 0) return true;
        var borders = Borders(wanted);
        var matched = 0;
        foreach (var c in text)
        {
            while (matched > 0 && wanted[matched] != c) matched = borders[matched - 1];
            if (wanted[matched] == c) matched++;
            if (matched == wanted.Length) return true;
        }
        return false;
    }

    /// <summary>[characters]: length of the longest proper prefix that also ends at each.</summary>
    private static int[] Borders(string wanted)
    {
        var borders = new int[wanted.Length];
        for (var (i, matched) = (1, 0); i < wanted.Length; i++)
        {
            while (matched > 0 && wanted[matched] != wanted[i]) matched = borders[matched - 1];
            if (wanted[matched] == wanted[i]) matched++;
            borders[i] = matched;
        }
        return borders;
    }
}
