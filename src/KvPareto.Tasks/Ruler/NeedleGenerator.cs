using System.Globalization;

namespace KvPareto.Tasks.Ruler;

/// <summary>What surrounds the needles.</summary>
internal enum RulerHaystack
{
    /// <summary>The same five short sentences again and again; a unit of size is one round.</summary>
    Noise,

    /// <summary>The user's text; a unit of size is a word.</summary>
    Essay,

    /// <summary>Other needles; a unit of size is one.</summary>
    Needles,
}

/// <summary>What keys and values are.</summary>
internal enum RulerToken
{
    /// <summary>An adjective and a noun.</summary>
    Words,

    /// <summary>Seven digits.</summary>
    Numbers,

    /// <summary>A version 4 UUID.</summary>
    Uuids,
}

/// <summary>RULER's needles in a haystack (its <c>niah.py</c>).</summary>
internal sealed class NeedleGenerator : RulerGenerator
{
    /// <summary>The sentences of <see cref="RulerHaystack.Noise"/>.</summary>
    public const string Noise = "The grass is green. The sky is blue. The sun is yellow. Here we go. There and back again.";

    private const int Depths = 40;

    public required RulerHaystack Haystack { get; init; }

    public RulerToken Keys { get; init; } = RulerToken.Words;

    public RulerToken Values { get; init; } = RulerToken.Numbers;

    /// <summary>Keys hidden.</summary>
    public int KeyCount { get; init; } = 1;

    /// <summary>Values of each key.</summary>
    public int ValueCount { get; init; } = 1;

    /// <summary>Keys asked for.</summary>
    public int QueryCount { get; init; } = 1;

    /// <summary>Words of the user's text.</summary>
    public IReadOnlyList<string> Essay { get; init; } = [];

    /// <inheritdoc/>
    public override RulerPrompt Make(Func<ulong, SampleRandom> streams, int size)
    {
        var random = streams(0);
        var keys = Different(random, Keys, KeyCount);
        var values = Different(random, Values, KeyCount * ValueCount);
        string[] needles = [.. values.Select((value, index) => Needle(keys[index / ValueCount], value))];
        random.Shuffle(needles.AsSpan());
        int[] asked = [.. Enumerable.Range(0, KeyCount)];
        random.Shuffle(asked.AsSpan());
        asked = asked[..QueryCount];

        var query = Query([.. asked.Select(index => keys[index])]);
        var (kind, isOne) = (Values.ToString().ToLowerInvariant(), QueryCount * ValueCount == 1);
        if (isOne) kind = kind[..^1];
        var text = $"{(isOne ? "A" : "Some")} special magic {kind} {(isOne ? "is" : "are")} hidden within the following text. Make sure to "
            + $"memorize it. I will quiz you about the {kind} afterwards.\n{Context(streams, size, needles)}\n"
            + $"What {(isOne ? "is" : "are all")} the special magic {kind} for {query} mentioned in the provided text?";
        return new(
            text,
            $" The special magic {kind} for {query} mentioned in the provided text {(isOne ? "is" : "are")}",
            [.. asked.SelectMany(index => values.Skip(index * ValueCount).Take(ValueCount))]);
    }

    private string Context(Func<ulong, SampleRandom> streams, int size, string[] needles) => Haystack switch
    {
        RulerHaystack.Essay => WithinSentences(streams(1), size, needles),
        RulerHaystack.Noise => WithinLines(streams(1), [.. Enumerable.Repeat(Noise, size)], needles),
        _ => WithinLines(streams(1), OtherNeedles(streams(2), size), needles),
    };

    // At different ones of forty depths, between sentences.
    private string WithinSentences(SampleRandom random, int size, string[] needles)
    {
        var sentences = Sentences.Split(string.Join(' ', Enumerable.Range(0, size).Select(index => Essay[index % Essay.Count])));
        int[] depths = [.. Enumerable.Range(0, Depths).Select(step => (int)Math.Round(100.0 * step / (Depths - 1)))];
        random.Shuffle(depths.AsSpan());
        int[] places = [.. depths.Take(needles.Length).Order().Select(depth => sentences.Count * depth / 100)];
        for (var needle = needles.Length - 1; needle >= 0; needle--) sentences.Insert(places[needle], needles[needle]);
        return string.Join(' ', sentences);
    }

    private static string WithinLines(SampleRandom random, List<string> lines, string[] needles)
    {
        double[] depths = [.. needles.Select(_ => random.Share()).OrderDescending()];
        int[] places = [.. depths.Select(depth => (int)(depth * lines.Count))];
        foreach (var (needle, place) in needles.Zip(places)) lines.Insert(place, needle);
        return string.Join('\n', lines);
    }

    private List<string> OtherNeedles(SampleRandom random, int size)
    {
        var lines = new List<string>(size + KeyCount);
        for (var line = 0; line < size; line++) lines.Add(Needle(Token(random, Keys), Token(random, Values)));
        return lines;
    }

    private string Needle(string key, string value) =>
        $"One of the special magic {Values.ToString().ToLowerInvariant()} for {key} is: {value}.";

    private static string Query(string[] keys) => keys.Length == 1 ? keys[0] : $"{string.Join(", ", keys[..^1])}, and {keys[^1]}";

    private static string[] Different(SampleRandom random, RulerToken kind, int count)
    {
        var tokens = new List<string>();
        while (tokens.Count < count)
            if (Token(random, kind) is var token && !tokens.Contains(token)) tokens.Add(token);
        return [.. tokens];
    }

    private static string Token(SampleRandom random, RulerToken kind)
    {
        return kind switch
        {
            RulerToken.Words => RulerWords.Pair(random),
            RulerToken.Numbers => random.Between(1_000_000, 9_999_999).ToString(CultureInfo.InvariantCulture),
            _ => Uuid(random.Next(), random.Next()),
        };

        static string Uuid(ulong high, ulong low)
        {
            // Version 4, variant 10.
            var text = (high & 0xffff_ffff_ffff_0fff | 0x4000).ToString("x16", CultureInfo.InvariantCulture)
                + (low & 0x3fff_ffff_ffff_ffff | 0x8000_0000_0000_0000).ToString("x16", CultureInfo.InvariantCulture);
            return $"{text[..8]}-{text[8..12]}-{text[12..16]}-{text[16..20]}-{text[20..]}";
        }
    }
}
