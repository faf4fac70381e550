using System.Globalization;
using System.Numerics;
using System.Text;
using KvPareto.Text.Input;

namespace KvPareto.Text.Templates.Jinja;

/// <summary>Python's <c>%</c> and <c>format</c> on strings.</summary>
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
            var key = format.AsSpan(at) is ['(', ..] && format.IndexOf(')', at) is var close and > 0 ? format[(at + 1)..close] : null;
            if (key is not null) at += key.Length + 2;
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
            if (key is null ? next >= arguments.Count : !(argument is JinjaDict named && named.Items.ContainsKey(key)))
                throw new JinjaException("too few arguments for the format");
            var text = Convert(kind, key is null ? arguments[next++] : ((JinjaDict)argument!).Items[key], precision, state);
            var isNumber = kind is not ('s' or 'r' or 'c');
            if (isNumber && !text.StartsWith('-')) text = (flags.Contains('+') ? "+" : flags.Contains(' ') ? " " : "") + text;
            width += text.Length - PythonText.Length(text); // it counts code points
            text = flags.Contains('-') ? text.PadRight(width)
                : flags.Contains('0') && isNumber
                    ? (text[0] is '-' or '+' or ' ' ? text[0] + text[1..].PadLeft(Math.Max(width - 1, 0), '0') : text.PadLeft(width, '0'))
                : text.PadLeft(width);
            state.Text(text.Length);
            state.CheckLength(result.Length + (long)text.Length);
            result.Append(text);
        }
        return next == arguments.Count || argument is JinjaDict or JinjaList { IsTuple: false } ? result.ToString()
            : throw new JinjaException("too many arguments for the format");
    }

    /// <summary><c>format.format(…)</c>: <c>{}</c>, <c>{0}</c> and <c>{name}</c>, with <c>!r</c> and specifications.</summary>
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
                var parts = format[(at + 1)..end].Split(':', 2);
                var (field, conversion) = parts[0] is [.., '!', 'r' or 's'] ? (parts[0][..^2], parts[0][^1]) : (parts[0], '\0');
                var index = field.Length == 0 ? next++ : int.TryParse(field, NumberStyles.None, CultureInfo.InvariantCulture, out var given)
                    ? given : int.MaxValue;
                if (field.Any(static f => !char.IsLetterOrDigit(f) && f != '_'))
                    throw new JinjaException($"the field {OneLine.Quote(field)} is not known; known: {{}}, {{0}}, {{name}}");
                var value = arguments.Required(index, field);
                if (conversion != '\0') value = Convert(conversion, value, precision: null, state);
                var text = FormatSpecification.Apply(value, parts.Length > 1 ? parts[1] : "", state);
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
        if (kind is 's' or 'r') return FormatSpecification.Cut(kind == 's' ? state.ToText(value) : Repr(value, state), precision);
        if (kind == 'c' && value is string one && PythonText.Length(one) == 1) return one;
        if (kind is not ('c' or 'd' or 'i' or 'o' or 'x' or 'X' or 'e' or 'E' or 'f' or 'F' or 'g' or 'G'))
            throw new JinjaException($"the conversion %{kind} is not known; known: c, d, e, f, g, i, o, r, s, x, %");
        if (kind is 'd' or 'i' && value is double real && double.IsFinite(real)) value = new BigInteger(real);
        return FormatSpecification.Number(value, kind == 'i' ? "d" : kind.ToString(), kind is 'd' or 'i' ? null : precision)
            ?? throw Values.Fail(value) ?? new JinjaException($"%{kind} needs a number, not {Values.TypeName(value)}");
    }

    private static string Repr(object? value, RenderState state) => state.ToText(new JinjaList([value]))[1..^1];

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
