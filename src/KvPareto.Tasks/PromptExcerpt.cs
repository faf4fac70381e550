using KvPareto.Text.Tokenizers;

namespace KvPareto.Tasks;

/// <summary>Where a prompt begins and ends, for whoever reads what was measured.</summary>
/// <param name="Head">Its first characters, special tokens included.</param>
/// <param name="Tail">Its last characters; null where the head is all.</param>
public sealed record PromptExcerpt(string Head, string? Tail)
{
    // UTF-16 units of each end.
    private const int Characters = 300;

    /// <summary>The excerpt of a prompt.</summary>
    public static PromptExcerpt Of(Tokenizer tokenizer, int[] ids)
    {
        // A token is at least a byte or stands for one, so that so many suffice whatever the text.
        if (ids.Length <= Characters && tokenizer.Decode(ids, skipSpecialTokens: false) is var whole && whole.Length <= 2 * Characters)
            return new(whole, null);
        var part = Math.Min(ids.Length, Characters);
        var head = tokenizer.Decode(ids.AsSpan(0, part), skipSpecialTokens: false);
        var tail = tokenizer.Decode(ids.AsSpan(ids.Length - part), skipSpecialTokens: false);
        return new(Begin(head), End(tail));
    }

    private static string Begin(string text)
    {
        var end = Math.Min(text.Length, Characters);
        return text[..(end > 0 && char.IsHighSurrogate(text[end - 1]) ? end - 1 : end)];
    }

    private static string End(string text)
    {
        var start = Math.Max(0, text.Length - Characters);
        return text[(start < text.Length && char.IsLowSurrogate(text[start]) ? start + 1 : start)..];
    }
}
