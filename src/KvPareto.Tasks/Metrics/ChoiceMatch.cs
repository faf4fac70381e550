using System.Text.RegularExpressions;

namespace KvPareto.Tasks.Metrics;

/// <summary>Letters of options, A to H: of an answer as of <c>(B) because …</c> or <c>A, C</c> those that it begins with.</summary>
internal static partial class ChoiceMatch
{
    /// <summary>1 if the first letter of the prediction that stands alone is the answer's only one.</summary>
    public static double One(string prediction, string answer) =>
        Alone().Match(prediction) is { Success: true, Value: var letter } && letter == Begins(answer) ? 1 : 0;

    /// <summary>
    /// 1 if the prediction names the answer's letters, 0.25 if it names only some of them (L-Eval's score of coursera, arXiv 2307.11088):
    /// those that it begins with if they are two or more, else all that stand alone; without any nothing is guessed.
    /// </summary>
    public static double Several(string prediction, string answer)
    {
        var (named, right) = (Begins(prediction), Begins(answer));
        if (named.Length < 2) named = Letters(Alone().Matches(prediction).Select(match => match.Value));
        if (right.Length == 0 || named.Length == 0) return 0;
        return named == right ? 1 : named.All(right.Contains) ? 0.25 : 0;
    }

    /// <summary>How many letters an answer begins with.</summary>
    public static int Count(string answer) => Begins(answer).Length;

    // In order, each once.
    private static string Begins(string text) => Letters([First().Match(text).Groups[1].Value]);

    private static string Letters(IEnumerable<string> texts) =>
        string.Concat(texts.SelectMany(text => text).Where(char.IsAsciiLetter).Distinct().Order());

    // Capitals side by side or in a list, with marks before them, and no word behind.
    [GeneratedRegex(@"^[^\p{L}\p{N}]*([A-H](?:[\s,;/&+]*[A-H])*)(?![\p{L}\p{N}_])")]
    private static partial Regex First();

    // A capital that is no part of a word.
    [GeneratedRegex(@"(?<![\p{L}\p{N}_])[A-H](?![\p{L}\p{N}_])")]
    private static partial Regex Alone();
}
