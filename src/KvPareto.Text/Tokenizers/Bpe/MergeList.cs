using KvPareto.Text.Input;

namespace KvPareto.Text.Tokenizers.Bpe;

/// <summary>The merges of a vocabulary in rank order, each checked against it.</summary>
/// <param name="vocabulary">Ids by token.</param>
/// <param name="prefixLength">UTF-16 units of the continuing-subword prefix, which a right part loses when it merges.</param>
internal sealed class MergeList(TokenTable vocabulary, int prefixLength = 0)
{
    /// <summary>SentencePiece's visible space.</summary>
    public const char WordStart = '\u2581';

    private readonly List<(string Text, int LeftLength)> _pairs = [];
    private readonly HashSet<char> _beforeWordStart = [];
    private char[] _whole = new char[256];

    /// <summary>Merges added, duplicates included: the next rank.</summary>
    public int Count { get; private set; }

    /// <summary>The first merge that has a token such as <c>&lt;0x0A&gt;</c> for a part, or null.</summary>
    public int? FirstOfBytes { get; private set; }

    /// <summary>Adds the merge of next rank.</summary>
    /// <returns>Null, or what is wrong with it.</returns>
    public string? Add(ReadOnlySpan<char> left, ReadOnlySpan<char> right)
    {
        if (vocabulary.IdOrMinusOne(left) < 0) return Missing(left);
        if (vocabulary.IdOrMinusOne(right) < 0) return Missing(right);
        if (prefixLength > 0 && right.Length <= prefixLength) return $"{ErrorText.Quote(right)} is no longer than continuing_subword_prefix";
        var tail = right[prefixLength..];
        var length = left.Length + tail.Length;
        if (_whole.Length < length) _whole = new char[length * 2];
        left.CopyTo(_whole);
        tail.CopyTo(_whole.AsSpan(left.Length));
        var whole = _whole.AsSpan(0, length);
        if (vocabulary.IdOrMinusOne(whole) < 0) return Missing(whole);
        if (IsByte(left) || IsByte(right)) FirstOfBytes ??= Count;
        Count++;
        // No text has the empty token.
        if (left.IsEmpty || right.IsEmpty) return null;
        if (right[0] == WordStart) _beforeWordStart.Add(left[^1]);
        _pairs.Add((string.Concat(left, " ", right), left.Length));
        return null;
    }

    /// <summary>
    /// The merges as "left right", with <paramref name="space"/> for a space within a part. Of a pair that was added twice the last rank counts,
    /// as in Hugging Face's.
    /// </summary>
    public IReadOnlyList<string> Pairs(char space)
    {
        var seen = new HashSet<string>(_pairs.Count, StringComparer.Ordinal);
        var pairs = new List<string>(_pairs.Count);
        for (var i = _pairs.Count - 1; i >= 0; i--)
            if (Visible(_pairs[i].Text, _pairs[i].LeftLength, space) is var pair && seen.Add(pair)) pairs.Add(pair);
        pairs.Reverse();
        return pairs;
    }

    /// <summary>
    /// True where a merge may join a token that ends with <paramref name="last"/> to one that starts with <see cref="WordStart"/>.
    /// </summary>
    public bool JoinsWordStart(char last) => _beforeWordStart.Contains(last);

    /// <summary>True for a token that stands for a byte where a model has <c>byte_fallback</c>.</summary>
    public static bool IsByte(ReadOnlySpan<char> token) => token.Length == 6 && token.StartsWith("<0x") && token[5] == '>';

    private static string Visible(string pair, int leftLength, char space) =>
        pair.AsSpan(leftLength + 1).Contains(' ') || pair.AsSpan(0, leftLength).Contains(' ')
            ? $"{pair[..leftLength].Replace(' ', space)} {pair[(leftLength + 1)..].Replace(' ', space)}" : pair;

    private static string Missing(ReadOnlySpan<char> token) => $"{ErrorText.Quote(token)} is not in the vocabulary";
}
