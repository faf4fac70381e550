using KvPareto.Text.Input;

namespace KvPareto.Text.Tokenizers.Bpe;

/// <summary>The merges of a vocabulary in rank order.</summary>
/// <param name="vocabulary">Ids by token.</param>
/// <param name="place">Where they stand, for messages.</param>
internal sealed class MergeList(TokenTable vocabulary, string place)
{
    /// <summary>SentencePiece's visible space.</summary>
    public const char WordStart = '\u2581';

    private readonly List<string> _pairs = [];
    private readonly Dictionary<int, int> _spaceWithin = []; // where the parts meet, of the pairs with more than one space
    private readonly HashSet<char> _beforeWordStart = [];

    /// <summary>UTF-16 units of the continuing-subword prefix, which a right part loses when it merges.</summary>
    public int PrefixLength { get; set; }

    /// <summary>Merges added, duplicates included: the next rank.</summary>
    public int Count => _pairs.Count;

    /// <summary>The first merge that has a token such as <c>&lt;0x0A&gt;</c> for a part, or null.</summary>
    public int? FirstOfBytes { get; private set; }

    /// <summary>
    /// The merges as "left right", as they were added. What is wrong with them is the library's to find: most files have nothing, and to
    /// look up three tokens for each of 280,000 takes time.
    /// </summary>
    public IEnumerable<string> Unchecked => _pairs;

    /// <summary>Adds the merge of next rank.</summary>
    public void Add(ReadOnlySpan<char> left, ReadOnlySpan<char> right)
    {
        if (left.Contains(' ') || right.Contains(' ') || left.IsEmpty || right.IsEmpty) _spaceWithin.Add(Count, left.Length);
        else if (right[0] == WordStart) _beforeWordStart.Add(left[^1]);
        if (IsByte(left) || IsByte(right)) FirstOfBytes ??= Count;
        _pairs.Add(string.Concat(left, " ", right));
    }

    /// <summary>Looks every merge up in the vocabulary.</summary>
    /// <exception cref="ConfigException">One has a token that is not there.</exception>
    public void Check()
    {
        for (var i = 0; i < Count; i++)
            if (Problem(i) is { } problem) throw new ConfigException($"{place}[{i}]: {problem}");
    }

    /// <summary>
    /// The merges that the library takes, with <paramref name="space"/> for a space within a part. Of a pair that was added twice the last
    /// rank counts, as in Hugging Face's; no text has the empty token.
    /// </summary>
    public IReadOnlyList<string> Distinct(char space)
    {
        var seen = new HashSet<string>(Count, StringComparer.Ordinal);
        var pairs = new List<string>(Count);
        for (var i = Count - 1; i >= 0; i--)
        {
            var (left, right) = Parts(i);
            var pair = $"{left.Replace(' ', space)} {right.Replace(' ', space)}";
            if (left.Length > 0 && right.Length > 0 && seen.Add(pair)) pairs.Add(pair);
        }
        pairs.Reverse();
        return pairs;
    }

    /// <summary>
    /// True where a merge may join a token that ends with <paramref name="last"/> to one that starts with <see cref="WordStart"/>.
    /// </summary>
    public bool JoinsWordStart(char last) => _beforeWordStart.Contains(last);

    /// <summary>True for a token that stands for a byte where a model has <c>byte_fallback</c>.</summary>
    public static bool IsByte(ReadOnlySpan<char> token) => token.Length == 6 && token.StartsWith("<0x") && token[5] == '>';

    private (string Left, string Right) Parts(int index)
    {
        var length = _spaceWithin.TryGetValue(index, out var within) ? within : _pairs[index].IndexOf(' ', StringComparison.Ordinal);
        return (_pairs[index][..length], _pairs[index][(length + 1)..]);
    }

    private string? Problem(int index)
    {
        var (left, right) = Parts(index);
        if (Missing(left) is { } noLeft) return noLeft;
        if (Missing(right) is { } noRight) return noRight;
        return PrefixLength > 0 && right.Length <= PrefixLength ? $"{OneLine.Quote(right)} is no longer than continuing_subword_prefix"
            : Missing(left + right[PrefixLength..]);
    }

    private string? Missing(string token) =>
        vocabulary.TryGetId(token, out _) ? null : $"{OneLine.Quote(token)} is not in the vocabulary";
}
