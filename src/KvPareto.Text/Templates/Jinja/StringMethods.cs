using System.Buffers;
using System.Globalization;
using System.Text;
using KvPareto.Text.Input;

namespace KvPareto.Text.Templates.Jinja;

/// <summary>The methods of Python's <c>str</c>.</summary>
internal static class StringMethods
{
    private delegate object? Method(string text, Arguments arguments, RenderState state);

    private static readonly SearchValues<char> LineEnds = SearchValues.Create("\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029");

    private static readonly Dictionary<string, Method> All = new(StringComparer.Ordinal)
    {
        ["upper"] = static (t, _, _) => PythonCase.Upper(t),
        ["lower"] = static (t, _, _) => PythonCase.Lower(t),
        ["casefold"] = static (t, _, _) => PythonCase.Fold(t),
        ["capitalize"] = static (t, _, _) => PythonCase.Capitalize(t),
        ["title"] = static (t, _, _) => PythonCase.Title(t),
        ["istitle"] = static (t, _, _) => PythonCase.IsTitle(t),
        ["swapcase"] = static (t, _, _) => PythonCase.Swap(t),
        ["strip"] = static (t, a, _) => PythonText.Trim(t, Set(a)),
        ["lstrip"] = static (t, a, _) => PythonText.Trim(t, Set(a), right: false),
        ["rstrip"] = static (t, a, _) => PythonText.Trim(t, Set(a), left: false),
        ["startswith"] = static (t, a, s) =>
            Within(t, a, s) is var (part, _) && Affixes(a).Any(p => part.StartsWith(p, StringComparison.Ordinal)),
        ["endswith"] = static (t, a, s) =>
            Within(t, a, s) is var (part, _) && Affixes(a).Any(p => part.EndsWith(p, StringComparison.Ordinal)),
        ["removeprefix"] = static (t, a, _) =>
            a.Text(0, "prefix") is var p && t.StartsWith(p, StringComparison.Ordinal) ? t[p.Length..] : t,
        ["removesuffix"] = static (t, a, _) => a.Text(0, "suffix") is var s && t.EndsWith(s, StringComparison.Ordinal) ? t[..^s.Length] : t,
        ["split"] = static (t, a, s) => Strings(Split(t, a, s)),
        ["rsplit"] = static (t, a, s) => Strings(SplitRight(t, a, s)),
        ["splitlines"] = static (t, a, s) => Strings(Lines(t, a.Flag(0, "keepends"), s)),
        ["partition"] = static (t, a, _) => Partition(t, Separator(a), new TextSearch(Separator(a)).Find(t), lastPart: false),
        ["rpartition"] = static (t, a, _) => Partition(t, Separator(a), new TextSearch(Separator(a)).FindLast(t), lastPart: true),
        ["replace"] = static (t, a, s) => Replace(t, a.Text(0, "old"), a.Text(1, "new"), a.Whole(2, "count", -1), s),
        ["join"] = static (t, a, s) => Join(t, Values.Iterate(a.Required(0, "iterable"), s), s),
        ["find"] = static (t, a, s) => Sought(t, a, s, fromEnd: false),
        ["rfind"] = static (t, a, s) => Sought(t, a, s, fromEnd: true),
        ["index"] = static (t, a, s) => Found(Sought(t, a, s, fromEnd: false)),
        ["rindex"] = static (t, a, s) => Found(Sought(t, a, s, fromEnd: true)),
        ["count"] = static (t, a, s) => Within(t, a, s) is var (part, _) ? Count(part, a.Text(0, "sub")) : 0L,
        ["center"] = static (t, a, s) => Center(t, Width(a), Fill(a), s),
        ["zfill"] = static (t, a, s) =>
            t.Length > 0 && t[0] is '+' or '-' ? t[0] + Padding(t, Width(a), "0", s) + t[1..] : Padding(t, Width(a), "0", s) + t,
        ["ljust"] = static (t, a, s) => t + Padding(t, Width(a), Fill(a), s),
        ["rjust"] = static (t, a, s) => Padding(t, Width(a), Fill(a), s) + t,
        ["isdigit"] = static (t, _, _) => t.Length > 0 && t.EnumerateRunes().All(static r => IsDigit(r)),
        ["isdecimal"] = static (t, _, _) => t.Length > 0 && t.EnumerateRunes().All(Rune.IsDigit),
        ["isnumeric"] = static (t, _, _) => t.Length > 0 && t.EnumerateRunes().All(Rune.IsNumber),
        ["isalpha"] = static (t, _, _) => t.Length > 0 && t.EnumerateRunes().All(Rune.IsLetter),
        ["isalnum"] = static (t, _, _) => t.Length > 0 && t.EnumerateRunes().All(static r => Rune.IsLetter(r) || Rune.IsNumber(r)),
        ["isspace"] = static (t, _, _) => t.Length > 0 && t.All(PythonText.IsWhiteSpace),
        ["isupper"] = static (t, _, _) => PythonCase.IsUpper(t),
        ["format"] = static (t, a, s) => PythonFormat.Braces(t, a, s),
        ["islower"] = static (t, _, _) => PythonCase.IsLower(t),
    };

    /// <summary>The method of <paramref name="text"/> with this name, or null.</summary>
    public static JinjaFunction? Find(string text, string name) =>
        !All.TryGetValue(name, out var method) ? null : new(name, (state, arguments) =>
    {
        state.Text(text.Length);
        state.Step(arguments.Parts);
        return method(text, arguments, state);
    });

    /// <summary><paramref name="text"/> with the first <paramref name="count"/> (negative: all) occurrences replaced.</summary>
    public static string Replace(string text, string old, string replacement, long count, RenderState state)
    {
        if (count == 0) return text;
        var found = Count(text, old);
        if (count > 0) found = Math.Min(found, count);
        state.Text(text.Length + found * replacement.Length);
        if (old.Length > 0) return new TextSearch(old).Replace(text, replacement, (int)found);
        state.Step(text.Length);
        return string.Concat(PythonText.Characters(text).Append("").Select((c, i) => i < found ? replacement + c : c));
    }

    /// <summary>Joins strings.</summary>
    public static string Join(string separator, List<object?> items, RenderState state)
    {
        var texts = items.Select(
            static i => i as string ?? throw Values.Fail(i) ?? new JinjaException($"join needs str, not {Values.TypeName(i)}")).ToList();
        state.Text(texts.Sum(static t => (long)t.Length) + (long)separator.Length * texts.Count);
        return string.Join(separator, texts);
    }

    private static JinjaList Strings(IEnumerable<string> parts) => new([.. parts]);

    private static SearchValues<char>? Set(Arguments arguments) =>
        arguments.Get(0, "chars") is null ? null : SearchValues.Create(arguments.Text(0, "chars"));

    // The part of a text that the arguments start and end leave, and its place in code points; null where it begins beyond the end.
    private static (string Part, long Place)? Within(string text, Arguments arguments, RenderState state)
    {
        if (arguments.Count < 2) return (text, 0);
        var length = PythonText.Length(text);
        long Clamp(long place) => Math.Clamp(place < 0 ? place + length : place, 0, length);
        var start = arguments.Whole(1, "start", 0);
        if (start > length) return null;
        (start, var end) = (Clamp(start), Clamp(arguments.Whole(2, "end", length)));
        if (start > end) return null;
        return ((string)Members.Slice(text, start, end, 1, state)!, start);
    }

    private static long Sought(string text, Arguments arguments, RenderState state, bool fromEnd)
    {
        var sought = arguments.Text(0, "sub");
        if (Within(text, arguments, state) is not var (part, place)) return -1;
        var at = sought.Length == 0 ? fromEnd ? part.Length : 0
            : fromEnd ? new TextSearch(sought).FindLast(part) : new TextSearch(sought).Find(part);
        return at < 0 ? -1 : place + PythonText.Length(part[..at]);
    }

    private static long Found(long place) => place >= 0 ? place : throw new JinjaException("substring not found");

    /// <summary><c>str.center</c>.</summary>
    public static string Center(string text, long width, string fill, RenderState state)
    {
        var padding = Padding(text, width, fill, state);
        var missing = PythonText.Length(padding);
        // Python puts the odd one on the left only where the width is odd, too.
        var cut = PythonText.Place(padding, missing / 2 + (missing & (int)(width & 1)));
        return padding[..cut] + text + padding[cut..];
    }

    private static long Width(Arguments arguments) => arguments.Whole(0, "width", 0);

    private static string Fill(Arguments arguments) => arguments.Text(1, "fillchar", " ");

    // Decimal digits, and those of other shapes: superscript, circled and the like, which have a value and are no fractions.
    private static bool IsDigit(Rune rune) => Rune.IsDigit(rune)
        || (Rune.GetUnicodeCategory(rune) == UnicodeCategory.OtherNumber && CharUnicodeInfo.GetDigitValue(rune.ToString(), 0) >= 0);

    private static IEnumerable<string> Affixes(Arguments arguments) =>
        arguments.Required(0, "prefix") is JinjaList { IsTuple: true } tuple ? tuple.Items.Select(Values.ToText)
            : [arguments.Text(0, "prefix")];

    private static List<string> Split(string text, Arguments arguments, RenderState state)
    {
        var most = arguments.Whole(1, "maxsplit", -1);
        var limit = most < 0 || most >= int.MaxValue ? int.MaxValue : (int)most + 1;
        if (arguments.Get(0, "sep") is not null) return SplitBy(Separator(arguments), text, limit, state);
        var words = new List<string>();
        for (var at = 0; ;)
        {
            while (at < text.Length && PythonText.IsWhiteSpace(text[at])) at++;
            if (at >= text.Length) return words;
            var end = at;
            if (words.Count == limit - 1) end = text.Length;
            else while (end < text.Length && !PythonText.IsWhiteSpace(text[end])) end++;
            state.Step();
            words.Add(text[at..end]);
            at = end;
        }
    }

    private static List<string> SplitRight(string text, Arguments arguments, RenderState state)
    {
        var most = arguments.Whole(1, "maxsplit", -1);
        if (most < 0) return Split(text, arguments, state);
        var parts = new List<string>();
        if (arguments.Get(0, "sep") is null)
        {
            while (PythonText.Trim(text, left: false) is { Length: > 0 } left)
            {
                state.Text(left.Length);
                var start = parts.Count < most ? left.AsSpan().LastIndexOfAny(PythonText.WhiteSpace) + 1 : 0;
                parts.Add(left[start..]);
                text = left[..start];
            }
            parts.Reverse();
            return parts;
        }
        var (separator, end) = (Separator(arguments), text.Length);
        var search = new TextSearch(separator);
        for (; parts.Count < most && search.FindLast(text.AsSpan(0, end)) is var at and >= 0; end = at)
        {
            state.Step();
            parts.Add(text[(at + separator.Length)..end]);
        }
        parts.Add(text[..end]);
        parts.Reverse();
        return parts;
    }

    private static List<string> SplitBy(string separator, string text, int most, RenderState state)
    {
        var (search, parts, from) = (new TextSearch(separator), new List<string>(), 0);
        for (; parts.Count < most - 1 && search.Find(text, from) is var at and >= 0; from = at + separator.Length)
        {
            state.Step();
            parts.Add(text[from..at]);
        }
        parts.Add(text[from..]);
        return parts;
    }

    private static string Separator(Arguments arguments) =>
        arguments.Text(0, "sep") is { Length: > 0 } separator ? separator : throw new JinjaException("empty separator");

    /// <summary><c>str.splitlines</c>.</summary>
    public static IEnumerable<string> Lines(string text, bool keepEnds, RenderState state)
    {
        for (var start = 0; start < text.Length;)
        {
            state.Step();
            var end = text.AsSpan(start).IndexOfAny(LineEnds) is var offset and >= 0 ? start + offset : text.Length;
            var next = end < text.Length && text[end] == '\r' && end + 1 < text.Length && text[end + 1] == '\n' ? end + 2
                : Math.Min(end + 1, text.Length);
            yield return text[start..(keepEnds ? next : end)];
            start = next;
        }
    }

    private static JinjaList Partition(string text, string separator, int at, bool lastPart) => new(
        at >= 0 ? [text[..at], separator, text[(at + separator.Length)..]] : lastPart ? ["", "", text] : [text, "", ""], isTuple: true);

    private static long Count(string text, string part)
    {
        if (part.Length == 0) return PythonText.Length(text) + 1;
        return new TextSearch(part).Count(text);
    }

    // What is missing of a width, which counts code points.
    private static string Padding(string text, long width, string fill, RenderState state)
    {
        if (PythonText.Length(fill) != 1) throw new JinjaException("the fill character must be exactly one character long");
        var missing = Math.Max(Math.Max(width, 0) - PythonText.Length(text), 0);
        state.Text(missing);
        state.Text((text.Length + missing) * fill.Length);
        return fill.Length == 1 ? new string(fill[0], (int)missing) : string.Concat(Enumerable.Repeat(fill, (int)missing));
    }
}
