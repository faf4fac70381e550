namespace KvPareto.Text.Input;

/// <summary>The word that a misspelt one was probably meant to be.</summary>
public static class Nearest
{
    private const int LongestWord = 64;

    /// <summary>The end of a message, <c>; did you mean 'granularity'?</c>; empty where no known word is near.</summary>
    /// <param name="text">What was written.</param>
    /// <param name="known">What could have been.</param>
    public static string Question(string text, params ReadOnlySpan<string> known)
    {
        if (text.Length is 0 or > LongestWord) return "";
        var (nearest, least) = ("", int.MaxValue);
        foreach (var word in known)
        {
            var distance = Distance(Plain(text), Plain(word));
            if (distance < least) (nearest, least) = (word, distance);
        }
        // A letter in three, and of short words one.
        return least <= Math.Max(1, Math.Min(text.Length, nearest.Length) / 3) && least < nearest.Length
            ? $"; did you mean '{nearest}'?" : "";
    }

    private static string Plain(string text) => text.ToLowerInvariant().Replace('-', '_').Replace(' ', '_');

    // Levenshtein's: letters put in, left out or changed.
    private static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var changed = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(changed, 1 + Math.Min(row[j], row[j - 1]));
            }
        }
        return row[^1];
    }
}
