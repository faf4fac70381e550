using System.Globalization;
using System.Numerics;
using System.Text;
using System.Text.RegularExpressions;
using KvPareto.Text.Input;

namespace KvPareto.Text.Templates.Jinja;

/// <summary>
/// Python's format specifications of str, int and float: <c>[[fill]align][sign][#][0][width][,][.precision][type]</c>, and what their
/// types make of numbers.
/// </summary>
internal static partial class FormatSpecification
{
    /// <summary><c>format(value, specification)</c>.</summary>
    /// <exception cref="JinjaException">It is not known, or none for such a value.</exception>
    public static string Apply(object? value, string specification, RenderState state)
    {
        if (specification.Length == 0) return state.ToText(value);
        var parts = Grammar().Match(specification);
        string Part(string name, string absent = "") => parts.Groups[name] is { Length: > 0 } part ? part.Value : absent;
        var (zero, isText, hex) = (Part("zero"), value is string, Part("hex"));
        var align = Part("align", isText ? "<" : zero.Length > 0 ? "=" : ">");
        int? precision = Part("precision") is { Length: > 0 } digits ? int.Parse(digits, CultureInfo.InvariantCulture) : null;
        var text = !parts.Success || (zero + Part("comma")).Length > 1 ? null
            : !isText ? Number(value, Part("type"), precision, hex.Length > 0)
            : Part("type", "s") == "s" && align != "=" && (Part("sign") + hex + Part("comma")).Length == 0
                ? Cut((string)value!, precision) : null;
        if (text is null)
            throw Values.Fail(value)
                ?? new JinjaException($"the format {OneLine.Quote(specification)} is not known for {Values.TypeName(value)}");
        if (Part("comma").Length > 0) text = Thousands().Replace(text, ",");
        var sign = isText ? "" : text.StartsWith('-') ? "-" : Part("sign").Trim('-');
        if (!isText) text = text.TrimStart('-');
        var missing = Math.Max(int.Parse(Part("width", "0"), CultureInfo.InvariantCulture) - sign.Length - PythonText.Length(text), 0);
        state.Text(text.Length + missing);
        string Fill(int count) => string.Concat(Enumerable.Repeat(Part("fill", zero.Length > 0 ? "0" : " "), count));
        return align switch
        {
            "<" => sign + text + Fill(missing),
            "^" => Fill(missing / 2) + sign + text + Fill(missing - missing / 2),
            "=" => sign + Fill(missing) + text,
            _ => Fill(missing) + sign + text,
        };
    }

    /// <summary>The first characters of a text.</summary>
    public static string Cut(string text, int? most) => most is { } length ? text[..PythonText.Place(text, length)] : text;

    /// <summary>A number by one of the types b, c, d, e, f, g, n, o, x and %, or by none; null where it has not that type.</summary>
    /// <param name="value">Number; anything else gives null.</param>
    /// <param name="type">Type, or "".</param>
    /// <param name="precision">Digits.</param>
    /// <param name="prefixed">Begin with <c>0b</c>, <c>0o</c> or <c>0x</c>.</param>
    public static string? Number(object? value, string type, int? precision, bool prefixed = false)
    {
        var isUpper = type is "E" or "F" or "G" or "X";
        var text = (type.ToLowerInvariant(), value) switch
        {
            ("" or "d" or "n", bool or long or BigInteger) when precision is null && !prefixed => Whole(value, 10),
            ("b" or "o" or "x", bool or long or BigInteger) when precision is null =>
                Whole(value, type == "b" ? 2 : type == "o" ? 8 : 16, prefixed ? "0" + type : ""),
            ("c", bool or long) when precision is null && !prefixed
                && Rune.TryCreate((int)Math.Clamp(Values.ToLong(value), -1, int.MaxValue), out var rune) => rune.ToString(),
            _ when !prefixed && (value is double || type is not ("" or "n")) && Values.TryNumber(value, out var number) =>
                Real(number, type.ToLowerInvariant(), precision),
            _ => null,
        };
        return isUpper ? text?.ToUpperInvariant() : text;
    }

    private static string? Real(double number, string type, int? precision)
    {
        if (type == "%") return Real(number * 100, "f", precision) + "%";
        if (!double.IsFinite(number)) return type is "" or "e" or "f" or "g" or "n" ? PythonText.Repr(number) : null;
        var digits = precision ?? 6;
        return type switch
        {
            "" when precision is null => PythonText.Repr(number),
            "" => General(number, digits, isPointed: true),
            "e" => Exponential(number, digits),
            "f" => number.ToString($"F{digits}", CultureInfo.InvariantCulture),
            "g" or "n" => General(number, digits, isPointed: false),
            _ => null,
        };
    }

    private static string Exponential(double number, int digits)
    {
        var parts = number.ToString($"E{digits}", CultureInfo.InvariantCulture).Split('E');
        return $"{parts[0]}e{parts[1][0]}{parts[1][1..].TrimStart('0').PadLeft(2, '0')}";
    }

    // So many digits, without zeros at the end; with an exponent where the point is far from them.
    private static string General(double number, int digits, bool isPointed)
    {
        digits = Math.Max(digits, 1);
        var parts = Exponential(number, digits - 1).Split('e');
        var exponent = int.Parse(parts[1], CultureInfo.InvariantCulture);
        var isFar = exponent < -4 || exponent >= digits - (isPointed ? 1 : 0);
        var text = isFar ? parts[0] : number.ToString($"F{digits - 1 - exponent}", CultureInfo.InvariantCulture);
        if (text.Contains('.')) text = text.TrimEnd('0').TrimEnd('.');
        return isFar ? $"{text}e{parts[1]}" : isPointed && !text.Contains('.') ? text + ".0" : text;
    }

    private static string Whole(object value, int numberBase, string prefix = "")
    {
        var number = value is BigInteger large ? large : Values.ToLong(value);
        var digits = "";
        for (var left = BigInteger.Abs(number); !left.IsZero || digits.Length == 0; left /= numberBase)
            digits = "0123456789abcdef"[(int)(left % numberBase)] + digits;
        return (number.Sign < 0 ? "-" : "") + prefix + digits;
    }

    [GeneratedRegex(@"\A((?<fill>[\uD800-\uDBFF][\uDC00-\uDFFF]|[\s\S])?(?<align>[<>=^]))?(?<sign>[-+ ])?(?<hex>#)?(?<zero>0)?"
        + @"(?<width>[0-9]{1,3})?(?<comma>,)?(\.(?<precision>[0-9]{1,3}))?(?<type>[a-zA-Z%])?\z", RegexOptions.CultureInvariant)]
    private static partial Regex Grammar();

    // The places of an int, or of what stands before a point or an exponent.
    [GeneratedRegex(@"(?<=\A-?[0-9]+)(?=([0-9]{3})+(?![0-9]))")]
    private static partial Regex Thousands();
}
