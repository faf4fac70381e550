using System.Globalization;
using System.Text;
using KvPareto.Text.Input;

namespace KvPareto.Text.Tokenizers.PreTokenization;

/// <summary>Something that is looked for in a text: a string, a regex, a class of characters, or a hand-written twin of a regex.</summary>
internal abstract class TextPattern
{
    /// <summary>
    /// Appends all matches, from left to right and without overlaps. Positions are UTF-16 units of <paramref name="text"/>.
    /// </summary>
    /// <param name="text">Text.</param>
    /// <param name="matches">What they are appended to.</param>
    /// <param name="budget">What the text as a whole may still cost.</param>
    public abstract void FindAll(ReadOnlySpan<char> text, List<TextMatch> matches, WorkBudget budget);

    /// <summary><paramref name="text"/> with every match replaced.</summary>
    public virtual string Replace(string text, string replacement, WorkBudget budget)
    {
        var matches = new List<TextMatch>();
        FindAll(text, matches, budget);
        if (matches.Count == 0) return text;
        budget.Spend(matches.Count);
        budget.Text(text.Length + (long)matches.Count * replacement.Length);
        var (result, copied) = (new StringBuilder(text.Length), 0);
        foreach (var (start, end) in matches)
        {
            result.Append(text, copied, start - copied).Append(replacement);
            copied = end;
        }
        return result.Append(text, copied, text.Length - copied).ToString();
    }
}

/// <summary>Where a pattern matched.</summary>
/// <param name="Start">First UTF-16 unit.</param>
/// <param name="End">Unit after the last.</param>
internal readonly record struct TextMatch(int Start, int End);

/// <summary>A string, compared ordinally. The empty string matches nowhere.</summary>
internal sealed class LiteralPattern(string literal) : TextPattern
{
    private readonly TextSearch _search = new(literal);

    public override void FindAll(ReadOnlySpan<char> text, List<TextMatch> matches, WorkBudget budget)
    {
        if (literal.Length == 0) return;
        for (var at = 0; (at = _search.Find(text, at)) >= 0; at += literal.Length) matches.Add(new(at, at + literal.Length));
    }

    public override string Replace(string text, string replacement, WorkBudget budget)
    {
        if (literal.Length == 0) return text;
        var count = _search.Count(text);
        budget.Text(text.Length + (long)count * replacement.Length);
        return _search.Replace(text, replacement, count);
    }
}

/// <summary>Every character of a class, each a match of its own.</summary>
internal sealed class CharacterPattern(Func<Rune, bool> contains) : TextPattern
{
    /// <summary><c>char::is_numeric</c>: categories Nd, Nl and No.</summary>
    public static CharacterPattern Digits { get; } = new(Rune.IsNumber);

    /// <summary><c>char::is_whitespace</c>.</summary>
    public static CharacterPattern WhiteSpace { get; } = new(Rune.IsWhiteSpace);

    /// <summary>ASCII punctuation (symbols included) and the categories P of Unicode.</summary>
    public static CharacterPattern Punctuation { get; } = new(static r => (r.IsAscii && Rune.IsSymbol(r)) || Rune.IsPunctuation(r));

    /// <summary>Categories M.</summary>
    public static CharacterPattern Marks { get; } = new(static r => Rune.GetUnicodeCategory(r)
        is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark);

    // By UTF-16 unit: in the class, or the first half of a character that may be.
    private readonly Lazy<bool[]> _candidates = new(() => [.. Enumerable.Range(0, char.MaxValue + 1)
        .Select(unit => char.IsHighSurrogate((char)unit) || (Rune.TryCreate(unit, out var rune) && contains(rune)))]);

    public override void FindAll(ReadOnlySpan<char> text, List<TextMatch> matches, WorkBudget budget)
    {
        var candidates = _candidates.Value;
        for (var at = 0; at < text.Length; at++)
        {
            if (!candidates[text[at]]) continue;
            Rune.DecodeFromUtf16(text[at..], out var rune, out var width);
            if (contains(rune)) matches.Add(new(at, at + width));
            at += width - 1;
        }
    }
}
