namespace KvPareto.Tasks.Synthetic;

/// <summary>Match of one-word answers.</summary>
internal static class AnswerMatch
{
    /// <summary>
    /// Whether the first line of <paramref name="prediction"/> that is not empty is <paramref name="answer"/> or a sentence whose
    /// last word it is, apart from the case of letters, spaces and closing punctuation.
    /// </summary>
    public static bool IsRight(string prediction, string answer)
    {
        var line = FirstLine(prediction);
        var right = answer.AsSpan().Trim();
        return right.Length > 0 && line.EndsWith(right, StringComparison.OrdinalIgnoreCase)
            && (line.Length == right.Length || line[line.Length - right.Length - 1] == ' ');
    }

    private static ReadOnlySpan<char> FirstLine(ReadOnlySpan<char> text)
    {
        text = text.TrimStart();
        var end = text.IndexOfAny('\r', '\n');
        if (end >= 0) text = text[..end];
        return text.TrimEnd(".,;:!?\"' ");
    }
}
