using System.Buffers;
using System.Globalization;
using System.Numerics;
using System.Text;
using KvPareto.Text.Input;

namespace KvPareto.Text.Templates.Jinja;

/// <summary>What Python's <c>int</c>, <c>float</c> and <c>round</c> do and .NET's parsing and rounding do otherwise.</summary>
internal static class PythonNumber
{
    private const int MostDecimals = 15;

    /// <summary>Digits of an int, so that a template cannot spend its time on one.</summary>
    public const int MostDigits = 128;

    private static readonly SearchValues<char> InFloats = SearchValues.Create("0123456789+-.eE");

    /// <summary>
    /// <c>int(text, base)</c>: digits of any script, single underscores between them, a prefix of the base. A <see cref="long"/>, beyond it
    /// a <see cref="BigInteger"/>; null where the text is no int, or longer than <see cref="MostDigits"/>.
    /// </summary>
    public static object? Whole(string text, long numberBase = 10)
    {
        var (digits, sign) = (Plain(text), 1);
        if (digits.Length > MostDigits) return null;
        if (digits is ['+' or '-', ..])
        {
            sign = digits[0] == '-' ? -1 : 1;
            digits = digits[1..];
        }
        var prefix = digits.Length > 1 && digits[0] == '0'
            ? char.ToLowerInvariant(digits[1]) switch { 'x' => 16, 'o' => 8, 'b' => 2, _ => 0 } : 0;
        if (prefix != 0 && numberBase is 0 or 16 or 8 or 2 && (numberBase == 0 || numberBase == prefix))
        {
            (digits, numberBase) = (digits[2..].TrimStart('_'), prefix);
        }
        if (numberBase == 0) numberBase = 10;
        if (numberBase is < 2 or > 36 || Together(digits) is not { Length: > 0 } joined) return null;
        var value = BigInteger.Zero;
        foreach (var c in joined)
        {
            var digit = char.IsAsciiDigit(c) ? c - '0' : char.IsAsciiLetter(c) ? char.ToLowerInvariant(c) - 'a' + 10 : 99;
            if (digit >= numberBase) return null;
            value = value * numberBase + digit;
        }
        value *= sign;
        return value >= long.MinValue && value <= long.MaxValue ? (object)(long)value : value;
    }

    /// <summary><c>float(text)</c>.</summary>
    public static double? Float(string text)
    {
        var plain = Plain(text);
        switch (plain.TrimStart('+', '-').ToLowerInvariant())
        {
            case "inf" or "infinity" when plain.Length - plain.TrimStart('+', '-').Length <= 1:
                return plain[0] == '-' ? double.NegativeInfinity : double.PositiveInfinity;
            case "nan" when plain.Length <= 4:
                return double.NaN;
        }
        const NumberStyles Style = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;
        return Together(plain) is { } joined && joined.AsSpan().IndexOfAnyExcept(InFloats) < 0
            && double.TryParse(joined, Style, CultureInfo.InvariantCulture, out var number) ? number : null;
    }

    /// <summary><c>round(number, decimals)</c>: of the number that it truly is, a half to the even digit.</summary>
    public static double Round(double number, long decimals)
    {
        if (decimals > MostDecimals || !double.IsFinite(number)) return number;
        if (decimals <= 0)
        {
            var step = Math.Pow(10, Math.Min(-decimals, 308));
            return Math.Round(number / step, MidpointRounding.ToEven) * step;
        }
        // A half in these decimals is a whole odd number of so small binary parts; decimal holds it exactly.
        var parts = number * Math.Pow(2, decimals + 1);
        var isHalf = Math.Abs(parts) < 1L << 52 && Math.Truncate(parts) == parts && Math.Abs(parts) % 2 == 1;
        var text = number.ToString($"F{decimals + (isHalf ? 1 : 0)}", CultureInfo.InvariantCulture);
        if (isHalf)
            text = Math.Round(decimal.Parse(text, CultureInfo.InvariantCulture), (int)decimals, MidpointRounding.ToEven)
                .ToString(CultureInfo.InvariantCulture);
        return double.Parse(text, CultureInfo.InvariantCulture);
    }

    // Without white space at the ends, decimal digits of all scripts as ASCII's.
    private static string Plain(string text)
    {
        var trimmed = PythonText.Trim(text);
        if (Ascii.IsValid(trimmed)) return trimmed;
        return string.Concat(trimmed.EnumerateRunes().Select(static r => Rune.GetUnicodeCategory(r) == UnicodeCategory.DecimalDigitNumber
            ? ((int)Rune.GetNumericValue(r)).ToString(CultureInfo.InvariantCulture) : r.ToString()));
    }

    // Without underscores, each of which must stand between two digits.
    private static string? Together(string digits)
    {
        for (var at = 0; (at = digits.IndexOf('_', at)) >= 0; at++)
            if (at == 0 || at + 1 == digits.Length
                || !char.IsAsciiLetterOrDigit(digits[at - 1]) || !char.IsAsciiLetterOrDigit(digits[at + 1]))
                return null;
        return digits.Replace("_", "", StringComparison.Ordinal);
    }
}
