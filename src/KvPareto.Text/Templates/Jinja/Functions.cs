using System.Globalization;
using System.Text;

namespace KvPareto.Text.Templates.Jinja;

/// <summary>The functions that every template can call.</summary>
internal static class Functions
{
    /// <summary>Functions by name.</summary>
    /// <param name="date">What <c>strftime_now</c> reads.</param>
    public static Dictionary<string, object?> Create(DateOnly date)
    {
        JinjaFunction[] functions =
        [
            new("raise_exception", static (s, a) => throw new JinjaException(s.ToText(a.Required(0, "message"))) { IsRefusal = true }),
            new("strftime_now", (s, a) => Time(date.ToDateTime(TimeOnly.MinValue), a.Text(0, "format"), s)),
            new("range", Range),
            new("namespace", static (s, a) => Namespace(a, s)),
            new("dict", static (s, a) => Merge(a, s)),
            new("joiner", static (_, a) => Joiner(a.Text(0, "sep", ", "))),
        ];
        return functions.ToDictionary(static f => f.Name, static object? (f) => f, StringComparer.Ordinal);
    }

    private static JinjaList Range(RenderState state, Arguments arguments)
    {
        var bounds = arguments.AtMost(3).Positional.ConvertAll(Values.ToLong);
        if (bounds.Count == 0) throw new JinjaException("range needs a number");
        var (start, stop, step) =
            (bounds.Count > 1 ? bounds[0] : 0, bounds.Count > 1 ? bounds[1] : bounds[0], bounds.Count > 2 ? bounds[2] : 1);
        if (step == 0) throw new JinjaException("range's step is 0");
        var count = step > 0 ? ((Int128)stop - start + step - 1) / step : ((Int128)start - stop - step - 1) / -(Int128)step;
        if (count > RenderState.LongestRange) throw new JinjaException($"a range of more than {RenderState.LongestRange} numbers");
        state.Step((long)Int128.Max(count, 0));
        var items = new List<object?>();
        for (var i = 0; i < count; i++) items.Add(start + i * step);
        return new(items) { View = step == 1 ? $"range({start}, {stop})" : $"range({start}, {stop}, {step})" };
    }

    private static JinjaNamespace Namespace(Arguments arguments, RenderState state)
    {
        var space = new JinjaNamespace();
        foreach (var (key, value) in Merge(arguments, state).Items) space.Attributes[state.ToText(key)] = value;
        return space;
    }

    private static JinjaDict Merge(Arguments arguments, RenderState state)
    {
        state.Step(arguments.Parts);
        var named = arguments.Named.Select(static p => KeyValuePair.Create<object, object?>(p.Key, p.Value));
        return arguments.Positional.FirstOrDefault() switch
        {
            null => new(named),
            JinjaDict first => new(first.Items.Concat(named)),
            var pairs => new(Values.Iterate(pairs, state).Select(pair => Pair(pair, state)).Concat(named)),
        };
    }

    private static KeyValuePair<object, object?> Pair(object? pair, RenderState state) =>
        Values.Iterate(pair, state) is [var key, var value] ? KeyValuePair.Create(Operators.Key(key), value)
            : throw Filters.Wrong(pair, "a pair");

    private static JinjaFunction Joiner(string separator)
    {
        var used = false;
        return new("joiner", (_, _) =>
        {
            var text = used ? separator : "";
            used = true;
            return text;
        });
    }

    // Python's strftime in the C locale.
    private static string Time(DateTime now, string format, RenderState state)
    {
        state.Step(format.Length);
        var result = new StringBuilder();
        for (var i = 0; i < format.Length; i++)
        {
            if (format[i] != '%' || i + 1 >= format.Length)
            {
                result.Append(format[i]);
                continue;
            }
            var plain = format[i + 1] == '-' && i + 2 < format.Length;
            i += plain ? 2 : 1;
            var text = Field(now, format[i]);
            result.Append(plain ? text.TrimStart('0', ' ') is { Length: > 0 } trimmed ? trimmed : "0" : text);
        }
        return result.ToString();
    }

    private static string Field(DateTime now, char conversion) => conversion switch
    {
        '%' => "%",
        'j' => now.DayOfYear.ToString("000", CultureInfo.InvariantCulture),
        'e' => now.Day.ToString(CultureInfo.InvariantCulture).PadLeft(2),
        _ => now.ToString(Pattern(conversion), CultureInfo.InvariantCulture),
    };

    private static string Pattern(char conversion) => conversion switch
    {
        'a' => "ddd",
        'A' => "dddd",
        'b' or 'h' => "MMM",
        'B' => "MMMM",
        'd' => "dd",
        'D' => "MM/dd/yy",
        'f' => "ffffff",
        'F' => "yyyy-MM-dd",
        'H' => "HH",
        'I' => "hh",
        'm' => "MM",
        'M' => "mm",
        'p' => "tt",
        'R' => "HH:mm",
        'S' => "ss",
        'T' => "HH:mm:ss",
        'y' => "yy",
        'Y' => "yyyy",
        _ => throw new JinjaException(
            $"strftime_now: the conversion %{conversion} is not known; known: a A b B d D e f F h H I j m M p R S T y Y %"),
    };
}
