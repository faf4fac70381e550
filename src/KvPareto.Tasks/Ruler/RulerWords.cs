namespace KvPareto.Tasks.Ruler;

/// <summary>English words for needles' keys and for word lists; RULER itself takes those of the Python package wonderwords.</summary>
internal static class RulerWords
{
    private static readonly Lazy<string[][]> Lists = new(Read);
    private static readonly Lazy<string[]> Single =
        new(() => [.. Lists.Value.SelectMany(list => list).Distinct().Order(StringComparer.Ordinal)]);

    /// <summary>How many different words <see cref="Choose"/> has: single ones, then pairs.</summary>
    public static int Count => Single.Value.Length + Adjectives.Length * Nouns.Length;

    private static string[] Adjectives => Lists.Value[0];

    private static string[] Nouns => Lists.Value[1];

    /// <summary>An adjective and a noun, joined by a hyphen.</summary>
    public static string Pair(SampleRandom random) => $"{random.Pick(Adjectives)}-{random.Pick(Nouns)}";

    /// <summary>Different words: single ones in random order and, where these do not suffice, pairs as in <see cref="Pair"/>.</summary>
    /// <param name="random">The first words are the same, however many are taken.</param>
    public static IEnumerable<string> Choose(SampleRandom random)
    {
        var words = Single.Value.ToArray();
        random.Shuffle(words.AsSpan());
        foreach (var word in words) yield return word;
        var seen = new HashSet<string>();
        while (seen.Count < Adjectives.Length * Nouns.Length)
            if (Pair(random) is var pair && seen.Add(pair)) yield return pair;
    }

    private static string[][] Read()
    {
        using var reader = new StreamReader(typeof(RulerWords).Assembly.GetManifestResourceStream("ruler-words.txt")!);
        return [.. reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(' '))];
    }
}
