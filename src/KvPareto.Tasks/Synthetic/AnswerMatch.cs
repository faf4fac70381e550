namespace KvPareto.Tasks.Synthetic;

/// <summary>Exact match of short answers.</summary>
internal static class AnswerMatch
{
    private static readonly string[] Articles = ["the ", "a ", "an "];

    /// <summary>
    /// Whether the first line of <paramref name="prediction"/> that is not empty is <paramref name="answer"/>, apart from the case
    /// of letters, spaces around it, a leading article and closing punctuation.
    /// </summary>
    public static bool IsRight(string prediction, string answer) =>
        Normalise(prediction).Equals(Normalise(answer), StringComparison.OrdinalIgnoreCase);

    private static ReadOnlySpan<char> Normalise(ReadOnlySpan<char> text)
    {
        text = text.TrimStart();
        var end = text.IndexOfAny('\r', '\n');
        if (end >= 0) text = text[..end];
        foreach (var article in Articles)
        {
            if (!text.StartsWith(article, StringComparison.OrdinalIgnoreCase)) continue;
            text = text[article.Length..];
            break;
        }
        return text.Trim().TrimEnd(".,;:!? ");
    }
}
