using System.Buffers;
using System.Text;
using KvPareto.Text.Input;
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
    private readonly (string Text, AddedToken Token)[] _tokens;
    private readonly SearchValues<char> _firsts;

    /// <param name="tokens">Tokens, each with the text to look for, which is not empty.</param>
    public AddedTokenMatcher(IEnumerable<(string Text, AddedToken Token)> tokens)
    {
        _tokens = [.. tokens.DistinctBy(static t => t.Text, StringComparer.Ordinal).OrderBy(static t => t.Text, StringComparer.Ordinal)];
        _firsts = SearchValues.Create([.. _tokens.Select(static t => t.Text[0]).Distinct()]);
    }

    /// <summary>The parts of <paramref name="text"/> in order; none where it is empty.</summary>
    /// <param name="text">Text.</param>
    /// <param name="budget">What the text as a whole may still cost.</param>
    public IEnumerable<AddedTokenPart> Split(string text, WorkBudget budget)
    {
        budget.Text(text.Length);
        var done = 0;
        for (var from = 0; Find(text, from, budget) is var (at, token);)
        {
            from = at.End;
            var (start, end) = at;
            if (token.SingleWord && (IsWordBefore(text, start) || IsWordAt(text, end))) continue;
            if (token.LeftStrip) start = done < start ? done + text.AsSpan(done..start).TrimEnd().Length : done;
            if (token.RightStrip) end = text.Length - text.AsSpan(end).TrimStart().Length;
            budget.Text(end - start);
            if (done < start) yield return new(null, done, start);
            if (start < end) yield return new(token, start, end); // else the one before it has taken its white space
            done = end;
        }
        if (done < text.Length) yield return new(null, done, text.Length);
    }

    private (TextMatch At, AddedToken Token)? Find(string text, int from, WorkBudget budget)
    {
        if (_tokens.Length == 0) return null;
        for (; text.AsSpan(from).IndexOfAny(_firsts) is var offset and >= 0; from++)
        {
            from += offset;
            if (Longest(text, from, budget) is { } token) return (new(from, from + token.Text.Length), token.Token);
        }
        return null;
    }

    // The tokens that agree with the text so far are neighbours in their order: each character narrows the range.
    private (string Text, AddedToken Token)? Longest(string text, int from, WorkBudget budget)
    {
        var (low, high) = (0, _tokens.Length);
        (string, AddedToken)? longest = null;
        for (var depth = 0; low < high; depth++)
        {
            budget.Spend();
            if (_tokens[low].Text.Length == depth) longest = _tokens[low++];
            if (from + depth >= text.Length) break;
            var next = text[from + depth];
            (low, high) = (Bound(low, high, depth, next), Bound(low, high, depth, next + 1));
        }
        return longest;
    }

    // The first token of a range whose character at a depth is not below a value.
    private int Bound(int low, int high, int depth, int value)
    {
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_tokens[middle].Text[depth] < value) low = middle + 1;
            else high = middle;
        }
        return low;
    }

    private static bool IsWordBefore(string text, int at) =>
        at > 0 && Rune.DecodeLastFromUtf16(text.AsSpan(0, at), out var rune, out _) == OperationStatus.Done && CharacterKind.IsWord(rune);

    private static bool IsWordAt(string text, int at) => at < text.Length
        && Rune.DecodeFromUtf16(text.AsSpan(at), out var rune, out _) == OperationStatus.Done && CharacterKind.IsWord(rune);
}
