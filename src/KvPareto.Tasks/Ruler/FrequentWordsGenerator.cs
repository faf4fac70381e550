namespace KvPareto.Tasks.Ruler;

/// <summary>
/// RULER's frequent words (its <c>freq_words_extraction.py</c>): made-up words whose counts fall as 1/k² by rank, the first of them dots. A
/// unit of size is one word drawn.
/// </summary>
/// <param name="length">Tokens of the whole, of which the vocabulary has a fiftieth.</param>
internal sealed class FrequentWordsGenerator(int length) : RulerGenerator
{
    private const int WordLetters = 6;
    private const int TokensAWord = 50;
    private const int Asked = 3;

    // Riemann's ζ(2).
    private const double Zeta = Math.PI * Math.PI / 6;

    // The fourth word then stands once or more, and is rarer than the third.
    private const int Least = 60;

    /// <inheritdoc/>
    public override int LeastSize => Least;

    /// <inheritdoc/>
    public override RulerPrompt Make(Func<ulong, SampleRandom> streams, int size)
    {
        var random = streams(0);
        var (words, seen) = (new List<string> { "..." }, new HashSet<string>());
        while (words.Count < Math.Max(length / TokensAWord, Asked + 2))
            if (Word(random) is var word && seen.Add(word)) words.Add(word);
        string[] list = [.. words.SelectMany((word, rank) => Enumerable.Repeat(word, (int)(size / ((rank + 1.0) * (rank + 1.0)) / Zeta)))];
        streams(1).Shuffle(list.AsSpan());
        return new(
            "Read the following coded text and track the frequency of each coded word. Find the three most frequently appeared coded "
                + $"words. {string.Join(' ', list)}\nQuestion: Do not provide any explanation. Please ignore the dots '....'. What are the "
                + "three most frequently appeared words in the above coded text?",
            " Answer: According to the coded text above, the three most frequently appeared words are:",
            words.GetRange(1, Asked));
    }

    private static string Word(SampleRandom random) => string.Create(WordLetters, random, (word, choices) =>
    {
        for (var i = 0; i < word.Length; i++) word[i] = (char)('a' + choices.Below(26));
    });
}
