using System.Buffers;
using System.Globalization;
using System.Text;

namespace KvPareto.Text.Input;

/// <summary>
/// What Python 3's <c>str</c> and <c>re</c> do and .NET's string does otherwise: length and places are in code points, white space
/// includes U+001C to U+001F, and <c>\w</c> has no marks or joiners. Templates, prompts and scores rest on it.
/// </summary>
internal static class PythonText
{
    /// <summary>The characters that <c>str.strip()</c> removes: Unicode white space and the four ASCII separators.</summary>
    public static readonly char[] WhiteSpace = [.. Enumerable.Range(0, char.MaxValue + 1).Select(static c => (char)c).Where(IsWhiteSpace)];

    /// <summary><c>str.isspace</c> of one character.</summary>
    public static bool IsWhiteSpace(char c) => char.IsWhiteSpace(c) || c is >= '\x1c' and <= '\x1f';

    /// <summary>Code points.</summary>
    public static int Length(string text) => text.Length - text.AsSpan().CountAny(LowSurrogates);

    /// <summary>The characters of <paramref name="text"/>, one string each.</summary>
    public static IEnumerable<string> Characters(string text)
    {
        for (var at = 0; at < text.Length;)
        {
            var width = char.IsHighSurrogate(text[at]) && at + 1 < text.Length && char.IsLowSurrogate(text[at + 1]) ? 2 : 1;
            yield return text.Substring(at, width);
            at += width;
        }
    }

    /// <summary>The character at a place in code points that is within the text.</summary>
    public static string Character(string text, int place)
    {
        var at = Place(text, place);
        return text.Substring(at, at + 1 < text.Length && char.IsSurrogatePair(text[at], text[at + 1]) ? 2 : 1);
    }

    /// <summary>The UTF-16 unit at which the code point with this place begins; the text's end where it has no more.</summary>
    public static int Place(string text, int place)
    {
        if (Length(text) == text.Length) return Math.Min(place, text.Length);
        var at = 0;
        for (; place > 0 && at < text.Length; place--) at += at + 1 < text.Length && char.IsSurrogatePair(text[at], text[at + 1]) ? 2 : 1;
        return at;
    }

    /// <summary><paramref name="text"/> without the characters of a set (null: white space) at its ends.</summary>
    public static string Trim(string text, SearchValues<char>? set = null, bool left = true, bool right = true)
    {
        set ??= Spaces;
        var start = left ? text.AsSpan().IndexOfAnyExcept(set) : 0;
        if (start < 0) return "";
        var end = right ? text.AsSpan().LastIndexOfAnyExcept(set) + 1 : text.Length;
        return end <= start ? "" : text[start..end];
    }

    /// <summary>The code points of <paramref name="text"/>; a lone surrogate becomes U+FFFD.</summary>
    public static int[] CodePoints(string text)
    {
        var points = new int[text.Length];
        var count = 0;
        foreach (var rune in text.EnumerateRunes()) points[count++] = rune.Value;
        return points[..count];
    }

    /// <summary><c>str.split()</c>: runs of white space separate, none is kept.</summary>
    public static List<string> Split(string text)
    {
        var words = new List<string>();
        var start = -1;
        for (var i = 0; i <= text.Length; i++)
        {
            var inWord = i < text.Length && !IsWhiteSpace(text[i]);
            if (inWord && start < 0) start = i;
            if (inWord || start < 0) continue;
            words.Add(text[start..i]);
            start = -1;
        }
        return words;
    }

    /// <summary><c>re.findall(r"\d+", text)</c>: the runs of decimal digits of any script.</summary>
    public static List<string> DigitRuns(string text)
    {
        var runs = new List<string>();
        var run = new StringBuilder();
        foreach (var rune in text.EnumerateRunes())
        {
            if (Rune.IsDigit(rune))
            {
                run.Append(rune.ToString());
                continue;
            }
            if (run.Length > 0) runs.Add(run.ToString());
            run.Clear();
        }
        if (run.Length > 0) runs.Add(run.ToString());
        return runs;
    }

    /// <summary><c>\w</c> of <c>re</c>: letters and numbers of every kind, and the underscore.</summary>
    public static bool IsWord(Rune rune) => rune.Value == '_' || Rune.IsLetter(rune) || Rune.IsNumber(rune);

    /// <summary>One character of <c>string.punctuation</c>: the 32 ASCII punctuation marks and symbols.</summary>
    public static bool IsAsciiPunctuation(char c) => char.IsAscii(c) && (char.IsPunctuation(c) || char.IsSymbol(c));

    /// <summary>Order by code points: what lies beyond U+FFFF comes after all that does not.</summary>
    public static int Compare(string x, string y)
    {
        var at = x.AsSpan().CommonPrefixLength(y);
        if (at == x.Length || at == y.Length) return x.Length - y.Length;
        return char.IsSurrogate(x[at]) == char.IsSurrogate(y[at]) ? x[at] - y[at] : char.IsSurrogate(x[at]) ? 1 : -1;
    }

    /// <summary><c>repr</c> of a string: single quotes unless only those occur.</summary>
    public static string Repr(string text)
    {
        var quote = text.Contains('\'') && !text.Contains('"') ? '"' : '\'';
        var result = new StringBuilder().Append(quote);
        foreach (var rune in text.EnumerateRunes())
            switch (rune.Value)
            {
                case '\n': result.Append("\\n"); break;
                case '\r': result.Append("\\r"); break;
                case '\t': result.Append("\\t"); break;
                case '\\': result.Append("\\\\"); break;
                case var c when c == quote: result.Append('\\').Append(quote); break;
                case ' ': result.Append(' '); break;
                case var c when IsPrintable(rune): result.Append(rune); break;
                case <= 0xFF: result.Append(CultureInfo.InvariantCulture, $"\\x{rune.Value:x2}"); break;
                case <= 0xFFFF: result.Append(CultureInfo.InvariantCulture, $"\\u{rune.Value:x4}"); break;
                default: result.Append(CultureInfo.InvariantCulture, $"\\U{rune.Value:x8}"); break;
            }
        return result.Append(quote).ToString();
    }

    /// <summary><c>repr</c> of a float: the shortest digits that read back, always with a point or an exponent.</summary>
    public static string Repr(double value)
    {
        if (double.IsNaN(value)) return "nan";
        if (double.IsInfinity(value)) return value > 0 ? "inf" : "-inf";
        var size = Math.Abs(value);
        if (size != 0 && (size < 1e-4 || size >= 1e16))
        {
            var text = value.ToString("E16", CultureInfo.InvariantCulture);
            for (var digits = 0; digits < 17; digits++)
                if ((text = value.ToString("E" + digits, CultureInfo.InvariantCulture)) is var shorter
                    && double.Parse(shorter, CultureInfo.InvariantCulture) == value)
                    break;
            var parts = text.Split('E');
            return $"{parts[0]}e{parts[1][0]}{parts[1][1..].TrimStart('0').PadLeft(2, '0')}";
        }
        var plain = value.ToString("R", CultureInfo.InvariantCulture);
        if (plain.Contains('E')) plain = value.ToString("0.###################", CultureInfo.InvariantCulture);
        return plain.Contains('.') ? plain : plain + ".0";
    }

    private static readonly SearchValues<char> Spaces = SearchValues.Create(WhiteSpace);
    private static readonly SearchValues<char> LowSurrogates =
        SearchValues.Create([.. Enumerable.Range(0xDC00, 0x400).Select(static c => (char)c)]);

    private static bool IsPrintable(Rune rune) =>
        Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate
        or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned or UnicodeCategory.LineSeparator
            or UnicodeCategory.ParagraphSeparator or UnicodeCategory.SpaceSeparator);
}
