using System.Globalization;

namespace KvPareto.Tasks.Ruler;

/// <summary>
/// RULER's common words (its <c>common_words_extraction.py</c>): a numbered list in which ten words stand more often than all others, after
/// a short example. A unit of size is a different word.
/// </summary>
/// <param name="length">Tokens of the whole: below 4,096 words are repeated less.</param>
internal sealed class CommonWordsGenerator(int length) : RulerGenerator
{
    private const int Common = 10;
    private const int ShortLength = 4096;

    /// <inheritdoc/>
    public override int LeastSize => Common + 1;

    /// <inheritdoc/>
    public override int MostSize => RulerWords.Count;

    /// <inheritdoc/>
    public override RulerPrompt Make(Func<ulong, SampleRandom> streams, int size)
    {
        var isShort = length < ShortLength;
        var example = isShort ? Question(streams, 2, 20, 3, 1) : Question(streams, 2, 40, 10, 3);
        var question = isShort ? Question(streams, 0, size, 6, 1) : Question(streams, 0, size, 30, 3);
        return question with { Text = $"{example.Text}{example.AnswerPrefix}{Numbered(example.Answers)}\n{question.Text}" };
    }

    private static RulerPrompt Question(Func<ulong, SampleRandom> streams, ulong stream, int words, int common, int uncommon)
    {
        string[] chosen = [.. RulerWords.Choose(streams(stream)).Take(words)];
        string[] list =
        [
            .. chosen.Take(Common).SelectMany(word => Enumerable.Repeat(word, common)),
            .. chosen.Skip(Common).SelectMany(word => Enumerable.Repeat(word, uncommon)),
        ];
        streams(stream + 1).Shuffle(list.AsSpan());
        return new(
            "Below is a numbered list of words. In these words, some appear more often than others. Memorize the ones that appear most "
                + $"often.\n{Numbered(list)}\nQuestion: What are the 10 most common words in the above list?",
            " Answer: The top 10 words that appear most often in the list are:",
            chosen[..Common]);
    }

    private static string Numbered(IEnumerable<string> words) =>
        string.Join(' ', words.Select((word, index) => string.Create(CultureInfo.InvariantCulture, $"{index + 1}. {word}")));
}
