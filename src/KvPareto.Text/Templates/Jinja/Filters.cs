using System.Buffers;
using System.Numerics;
using System.Text;
using KvPareto.Text.Input;

namespace KvPareto.Text.Templates.Jinja;

/// <summary>What <c>|</c> makes of a value.</summary>
internal delegate object? Filter(RenderState state, object? value, Arguments arguments);

/// <summary>
/// Jinja2's filters, with <c>tojson</c> as Hugging Face transformers replaces it. Those over sequences are in
/// <see cref="SequenceFilters"/>.
/// </summary>
internal static class Filters
{
    private static readonly Dictionary<string, Filter> All = new(StringComparer.Ordinal)
    {
        ["trim"] = static (_, v, a) => PythonText.Trim(Text(v), a.Get(0, "chars") is string chars ? SearchValues.Create(chars) : null),
        ["upper"] = static (_, v, _) => PythonCase.Upper(Text(v)),
        ["lower"] = static (_, v, _) => PythonCase.Lower(Text(v)),
        ["capitalize"] = static (_, v, _) => PythonCase.Capitalize(Text(v)),
        ["title"] = static (_, v, _) => Title(Text(v)),
        ["string"] = static (_, v, _) => Text(v),
        ["safe"] = static (_, v, _) => Text(v),
        ["escape"] = static (s, v, _) => Escape(Text(v), s),
        ["replace"] = static (s, v, a) =>
            StringMethods.Replace(Text(v), Text(a.Required(0, "old")), Text(a.Required(1, "new")), a.Whole(2, "count", -1), s),
        ["default"] = static (_, v, a) =>
            v is Undefined || (a.Flag(1, "boolean") && !Values.IsTrue(v)) ? a.Get(0, "default_value", "") : v,
        ["int"] = static (_, v, a) => ToInt(v, a.Whole(1, "base", 10)) ?? a.Get(0, "default", 0L),
        ["float"] = static (_, v, a) => ToFloat(v) is { } number ? number : a.Get(0, "default", 0.0),
        ["abs"] = static (s, v, _) =>
            v is double d ? Math.Abs(d) : Operators.Sign(Operators.Holds("<", v, 0L, s) ? "-" : "+", v),
        ["round"] = static (_, v, a) => Round(v, a.Whole(0, "precision", 0), a.Text(1, "method", "common")),
        ["indent"] = static (s, v, a) => Indent(v as string ?? throw Wrong(v, "a str"), a, s),
        ["tojson"] = JsonText.Filter,
        ["wordcount"] = static (_, v, _) => WordCount(Text(v)),
        ["truncate"] = static (_, v, a) =>
            v is string or JinjaContainer or Undefined ? Truncate(Text(v), a) : throw Wrong(v, "a str"),
        ["center"] = static (s, v, a) => StringMethods.Center(Text(v), a.Whole(0, "width", 80), " ", s),
        ["format"] = static (s, v, a) => PythonFormat.Percent(Text(v), a.Named.Count == 0 ? new JinjaList(a.Positional, isTuple: true)
            : a.Positional.Count == 0 ? new JinjaDict(a.Named.Select(static p => KeyValuePair.Create<object, object?>(p.Key, p.Value)))
            : throw new JinjaException("takes arguments by place or by name, not both"), s),
    };

    private static readonly Dictionary<string, string> Aliases =
        new(StringComparer.Ordinal) { ["d"] = "default", ["e"] = "escape", ["count"] = "length" };

    /// <summary>Names of the filters, for messages.</summary>
    public static IEnumerable<string> Names => All.Keys.Concat(SequenceFilters.All.Keys).Order(StringComparer.Ordinal);

    /// <summary>The filter with this name, or null.</summary>
    public static Filter? Find(string name)
    {
        name = Aliases.GetValueOrDefault(name, name);
        return All.GetValueOrDefault(name) ?? SequenceFilters.All.GetValueOrDefault(name);
    }

    /// <summary>Filters a value; what it and the arguments hold is counted first.</summary>
    public static object? Apply(Filter filter, RenderState state, object? value, Arguments arguments)
    {
        state.Walk(value);
        state.Step(arguments.Parts);
        return filter(state, value, arguments);
    }

    /// <summary>The complaint about a value of the wrong type.</summary>
    public static JinjaException Wrong(object? value, string needed) =>
        Values.Fail(value) ?? new JinjaException($"needs {needed}, not {Values.TypeName(value)}");

    private static string Text(object? value) => Values.ToText(value);

    private static long WordCount(string text)
    {
        var (count, inWord) = (0L, false);
        foreach (var rune in text.EnumerateRunes())
        {
            var isWord = PythonText.IsWord(rune);
            if (isWord && !inWord) count++;
            inWord = isWord;
        }
        return count;
    }

    private static string Escape(string text, RenderState state)
    {
        state.Text(text.Length + 4L * text.Count(static c => c is '&' or '<' or '>' or '\'' or '"'));
        return text
            .Replace("&", "&amp;", StringComparison.Ordinal)
            .Replace(">", "&gt;", StringComparison.Ordinal)
            .Replace("<", "&lt;", StringComparison.Ordinal)
            .Replace("'", "&#39;", StringComparison.Ordinal)
            .Replace("\"", "&#34;", StringComparison.Ordinal);
    }

    // Words begin after white space, hyphens and opening brackets.
    private static string Title(string text)
    {
        var result = new StringBuilder(text.Length);
        for (int start = 0, end; start < text.Length; start = end)
        {
            var parts = IsBetweenWords(text[start]);
            for (end = start + 1; end < text.Length && IsBetweenWords(text[end]) == parts;) end++;
            var first = start + 1 < end && char.IsSurrogatePair(text[start], text[start + 1]) ? 2 : 1;
            result.Append(PythonCase.Upper(text.Substring(start, first))).Append(PythonCase.Lower(text[(start + first)..end]));
        }
        return result.ToString();
    }

    private static bool IsBetweenWords(char c) => PythonText.IsWhiteSpace(c) || c is '-' or '(' or '{' or '[' or '<';

    private static object? ToInt(object? value, long numberBase) => value switch
    {
        bool or long => Values.ToLong(value),
        BigInteger => value,
        double d => Truncated(d),
        string s when PythonNumber.Whole(s, numberBase) is { } whole => whole,
        string s => PythonNumber.Float(s) is { } d ? Truncated(d) : null,
        _ => Values.Fail(value) is { } undefined ? throw undefined : null,
    };

    private static object? Truncated(double value) =>
        !double.IsFinite(value) ? null : Values.IsWhole(Math.Truncate(value)) ? (object)(long)value : new BigInteger(value);

    private static double? ToFloat(object? value) => value switch
    {
        string s => PythonNumber.Float(s),
        _ when Values.TryNumber(value, out var number) => number,
        _ => Values.Fail(value) is { } undefined ? throw undefined : null,
    };

    private static object? Round(object? value, long precision, string method)
    {
        if (!Values.TryNumber(value, out var number)) throw Wrong(value, "a number");
        var scale = Math.Pow(10, Math.Clamp(precision, -15, 15));
        return method switch
        {
            "common" when value is not double && precision >= 0 => Values.ToLong(value),
            "common" when value is not double => (object)(long)PythonNumber.Round(number, precision),
            "common" => PythonNumber.Round(number, precision),
            // Adding nothing makes a negative zero the zero of Python's ints.
            "ceil" => (Math.Ceiling(number * scale) + 0.0) / scale,
            "floor" => (Math.Floor(number * scale) + 0.0) / scale,
            _ => throw new JinjaException("the method is not known; known: common, ceil, floor"),
        };
    }

    private static string Indent(string text, Arguments arguments, RenderState state)
    {
        var width = arguments.Get(0, "width", 4L) is string given ? given
            : new string(' ', (int)Math.Clamp(arguments.Whole(0, "width", 4), 0, 1000));
        var (first, blank) = (arguments.Flag(1, "first"), arguments.Flag(2, "blank"));
        var lines = StringMethods.Lines(text + "\n", keepEnds: false, state).ToList();
        state.Text(text.Length + (long)lines.Count * width.Length);
        return string.Join('\n', lines.Select((line, i) => (i == 0 ? first : blank || line.Length > 0) ? width + line : line));
    }

    private static string Truncate(string text, Arguments arguments)
    {
        var (length, kill, end, leeway) =
            (arguments.Whole(0, "length", 255), arguments.Flag(1, "killwords"), arguments.Text(2, "end", "..."),
            arguments.Whole(3, "leeway", 5));
        if (length < PythonText.Length(end)) throw new JinjaException("the length is below that of the end");
        if (leeway < 0) throw new JinjaException("the leeway is negative");
        var characters = PythonText.Length(text);
        if (characters <= length || characters - length <= leeway) return text;
        var cut = text[..PythonText.Place(text, (int)length - PythonText.Length(end))];
        return (kill || cut.LastIndexOf(' ') < 0 ? cut : cut[..cut.LastIndexOf(' ')]) + end;
    }
}
