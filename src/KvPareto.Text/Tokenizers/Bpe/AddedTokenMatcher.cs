using System.Buffers;
using System.Text;
using KvPareto.Text.Tokenizers.PreTokenization;

namespace KvPareto.Text.Tokenizers.Bpe;

/// <summary>A part of a text: an added token, or text between them.</summary>
/// <param name="Token">The token, or null.</param>
/// <param name="Start">First UTF-16 unit.</param>
/// <param name="End">Unit after the last.</param>
internal readonly record struct AddedTokenPart(AddedToken? Token, int Start, int End);

/// <summary>Finds added tokens in text: leftmost first, and of those at one place the longest.</summary>
internal sealed class AddedTokenMatcher
{
    private readonly Dictionary<string, AddedToken> _tokens = new(StringComparer.Ordinal);
    private readonly Dictionary<string, AddedToken>.AlternateLookup<ReadOnlySpan<char>> _byContent;
    private readonly Dictionary<char, int[]> _lengths;
    private readonly SearchValues<char> _firsts;

    /// <param name="tokens">Tokens, each with the text to look for, which is not empty.</param>
    public AddedTokenMatcher(IEnumerable<(string Text, AddedToken Token)> tokens)
    {
        foreach (var (text, token) in tokens) _tokens.TryAdd(text, token);
        _byContent = _tokens.GetAlternateLookup<ReadOnlySpan<char>>();
        _lengths = _tokens.Keys.GroupBy(static t => t[0]).ToDictionary(
            static g => g.Key, static g => g.Select(static t => t.Length).Distinct().OrderDescending().ToArray());
        _firsts = SearchValues.Create([.. _lengths.Keys]);
    }

    /// <summary>The parts of <paramref name="text"/> in order; none where it is empty.</summary>
    public IEnumerable<AddedTokenPart> Split(string text)
    {
        var done = 0;
        for (var from = 0; Find(text, from) is var (at, token);)
        {
            from = at.End;
            var (start, end) = at;
            if (token.SingleWord && (IsWordBefore(text, start) || IsWordAt(text, end))) continue;
            if (token.LeftStrip) start = Math.Max(text.AsSpan(0, start).TrimEnd().Length, done);
            if (token.RightStrip) end = text.Length - text.AsSpan(end).TrimStart().Length;
            if (done < start) yield return new(null, done, start);
            yield return new(token, start, end);
            done = end;
        }
        if (done < text.Length) yield return new(null, done, text.Length);
    }

    private (TextMatch At, AddedToken Token)? Find(string text, int from)
    {
        if (_tokens.Count == 0) return null;
        while (text.AsSpan(from).IndexOfAny(_firsts) is var offset and >= 0)
        {
            from += offset;
            foreach (var length in _lengths[text[from]])
                if (length <= text.Length - from && _byContent.TryGetValue(text.AsSpan(from, length), out var token))
                    return (new(from, from + length), token);
            from++;
        }
        return null;
    }

    private static bool IsWordBefore(string text, int at) =>
        at > 0 && Rune.DecodeLastFromUtf16(text.AsSpan(0, at), out var rune, out _) == OperationStatus.Done && CharacterKind.IsWord(rune);

    private static bool IsWordAt(string text, int at) => at < text.Length
        && Rune.DecodeFromUtf16(text.AsSpan(at), out var rune, out _) == OperationStatus.Done && CharacterKind.IsWord(rune);
}
