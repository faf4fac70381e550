namespace KvPareto.Tasks.Ruler;

/// <summary>One of RULER's tasks, as its <c>synthetic.yaml</c> and <c>constants.py</c> have it.</summary>
/// <param name="Name">RULER's own.</param>
/// <param name="NewTokens">Tokens kept free for the answer.</param>
/// <param name="NeedsEssay">Needles lie in the user's text.</param>
/// <param name="Generator">Makes questions, of the whole length and the essay's words.</param>
internal sealed record RulerKind(string Name, int NewTokens, bool NeedsEssay, Func<int, IReadOnlyList<string>, RulerGenerator> Generator)
{
    /// <summary>All kinds.</summary>
    public static IReadOnlyList<RulerKind> All { get; } =
    [
        Needle("niah_single_1", new() { Haystack = RulerHaystack.Noise }),
        Essay("niah_single_2", essay => new() { Haystack = RulerHaystack.Essay, Essay = essay }),
        Essay("niah_single_3", essay => new() { Haystack = RulerHaystack.Essay, Essay = essay, Values = RulerToken.Uuids }),
        Essay("niah_multikey_1", essay => new() { Haystack = RulerHaystack.Essay, Essay = essay, KeyCount = 4 }),
        Needle("niah_multikey_2", new() { Haystack = RulerHaystack.Needles }),
        Needle("niah_multikey_3", new() { Haystack = RulerHaystack.Needles, Keys = RulerToken.Uuids, Values = RulerToken.Uuids }),
        Essay("niah_multivalue", essay => new() { Haystack = RulerHaystack.Essay, Essay = essay, ValueCount = 4 }),
        Essay("niah_multiquery", essay => new() { Haystack = RulerHaystack.Essay, Essay = essay, KeyCount = 4, QueryCount = 4 }),
        new("vt", 30, false, (_, _) => new VariableGenerator()),
        new("cwe", 120, false, (length, _) => new CommonWordsGenerator(length)),
        new("fwe", 50, false, (length, _) => new FrequentWordsGenerator(length)),
    ];

    private const int NeedleNewTokens = 128;

    /// <summary>The kind of a name.</summary>
    public static RulerKind Of(string name) => All.Single(kind => kind.Name == name);

    private static RulerKind Needle(string name, NeedleGenerator generator) => new(name, NeedleNewTokens, false, (_, _) => generator);

    private static RulerKind Essay(string name, Func<IReadOnlyList<string>, NeedleGenerator> make) =>
        new(name, NeedleNewTokens, true, (_, essay) => make(essay));
}
