using System.Globalization;
using System.Text;
using KvPareto.Text.Input;

namespace KvPareto.Text.Templates.Jinja;

/// <summary>Python's <c>%</c> and <c>format</c> on strings: flags, width, precision, and the conversions s, r, d, i, x, f and %.</summary>
internal static class PythonFormat
{
    private const int LargestWidth = 1000;

    /// <summary><c>format % argument</c>.</summary>
    /// <exception cref="JinjaException">A conversion that is not known, or too few or too many arguments.</exception>
    public static string Percent(string format, object? argument, RenderState state)
    {
        state.Text(format.Length);
        var arguments = argument is JinjaList { IsTuple: true } tuple ? tuple.Items : [argument];
        var (result, next, at) = (new StringBuilder(), 0, 0);
        while (at < format.Length)
        {
            var c = format[at++];
            if (c != '%')
            {
                result.Append(c);
                continue;
            }
            var flags = Take(format, ref at, static c => c is '-' or '0' or '+' or ' ');
            var width = Number(Take(format, ref at, char.IsAsciiDigit));
            int? precision = null;
            if (at < format.Length && format[at] == '.')
            {
                at++;
                precision = Number(Take(format, ref at, char.IsAsciiDigit));
            }
            if (at >= format.Length) throw new JinjaException("the format ends within a conversion");
            var kind = format[at++];
            if (kind == '%')
            {
                result.Append('%');
                continue;
            }
            if (next >= arguments.Count) throw new JinjaException("too few arguments for the format");
            var text = Convert(kind, arguments[next++], precision, state);
            if (flags.Contains('+') && kind is not ('s' or 'r') && !text.StartsWith('-')) text = "+" + text;
            text = flags.Contains('-') ? text.PadRight(width)
                : flags.Contains('0') && kind is not ('s' or 'r')
                    ? (text[0] is '-' or '+' ? text[0] + text[1..].PadLeft(Math.Max(width - 1, 0), '0') : text.PadLeft(width, '0'))
                : text.PadLeft(width);
            state.Text(text.Length);
            state.CheckLength(result.Length + (long)text.Length);
            result.Append(text);
        }
        return next == arguments.Count || argument is JinjaDict or JinjaList { IsTuple: false } ? result.ToString()
            : throw new JinjaException("too many arguments for the format");
    }

    /// <summary><c>format.format(…)</c>: <c>{}</c>, <c>{0}</c> and <c>{name}</c>, without format specifications.</summary>
    /// <exception cref="JinjaException">A field that is not known, or an argument that is not there.</exception>
    public static string Braces(string format, Arguments arguments, RenderState state)
    {
        var (result, next) = (new StringBuilder(), 0);
        for (var at = 0; at < format.Length; at++)
        {
            var c = format[at];
            if (c is not ('{' or '}')) result.Append(c);
            else if (at + 1 < format.Length && format[at + 1] == c) result.Append(format[at++]);
            else
            {
                var end = c == '{' ? format.IndexOf('}', at) : -1;
                if (end < 0) throw new JinjaException("a single brace in the format");
                var field = format[(at + 1)..end];
                var index = field.Length == 0 ? next++ : int.TryParse(field, NumberStyles.None, CultureInfo.InvariantCulture, out var given)
                    ? given : int.MaxValue;
                if (field.Any(static f => !char.IsLetterOrDigit(f) && f != '_'))
                    throw new JinjaException($"the field {OneLine.Quote(field)} is not known; known: {{}}, {{0}}, {{name}}");
                var text = state.ToText(arguments.Required(index, field));
                state.Text(text.Length);
                state.CheckLength(result.Length + (long)text.Length);
                result.Append(text);
                at = end;
            }
        }
        return result.ToString();
    }

    private static string Convert(char kind, object? value, int? precision, RenderState state)
    {
        if (kind is 's' or 'r')
        {
            var text = kind == 's' ? state.ToText(value) : state.ToText(new JinjaList([value]))[1..^1];
            return precision is { } most ? text[..PythonText.Place(text, most)] : text;
        }
        if (!Values.TryNumber(value, out var number))
            throw Values.Fail(value) ?? new JinjaException($"%{kind} needs a number, not {Values.TypeName(value)}");
        return kind switch
        {
            'd' or 'i' when value is double => Math.Truncate(number) is var whole && Values.IsWhole(whole)
                ? ((long)whole).ToString(CultureInfo.InvariantCulture) : throw new JinjaException($"%{kind} of a float beyond 64 bits"),
            'd' or 'i' => Values.ToLong(value).ToString(CultureInfo.InvariantCulture),
            'x' => Values.ToLong(value) is var hex && hex < 0 ? $"-{unchecked(-hex):x}" : hex.ToString("x", CultureInfo.InvariantCulture),
            'f' or 'F' when double.IsFinite(number) => number.ToString("F" + (precision ?? 6), CultureInfo.InvariantCulture),
            'f' or 'F' => PythonText.Repr(number),
            _ => throw new JinjaException($"the conversion %{kind} is not known; known: s, r, d, i, x, f, %"),
        };
    }

    private static string Take(string text, ref int at, Func<char, bool> belongs)
    {
        var start = at;
        while (at < text.Length && belongs(text[at])) at++;
        return text[start..at];
    }

    private static int Number(string digits) =>
        digits.Length == 0 ? 0 : int.TryParse(digits, CultureInfo.InvariantCulture, out var number) && number <= LargestWidth ? number
            : throw new JinjaException($"a width above {LargestWidth}");
}
