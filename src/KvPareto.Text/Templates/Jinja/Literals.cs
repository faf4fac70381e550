using System.Globalization;

namespace KvPareto.Text.Templates.Jinja;

/// <summary>Values of number tokens.</summary>
internal static class Literals
{
    /// <summary>A float.</summary>
    public static double Float(Token token) => double.Parse(Digits(token), CultureInfo.InvariantCulture);

    /// <summary>An int: decimal, or with <c>0x</c>, <c>0o</c> or <c>0b</c>.</summary>
    /// <exception cref="JinjaException">Beyond 64 bits, or no number.</exception>
    public static long Integer(Token token)
    {
        var digits = Digits(token);
        var kind = digits.Length > 1 ? char.ToLowerInvariant(digits[1]) : '\0';
        try
        {
            return kind is 'x' or 'o' or 'b' ? Convert.ToInt64(digits[2..], kind == 'x' ? 16 : kind == 'o' ? 8 : 2)
                : long.Parse(digits, NumberStyles.None, CultureInfo.InvariantCulture);
        }
        catch (Exception problem) when (problem is FormatException or OverflowException or ArgumentException)
        {
            throw new JinjaException($"{token.Shown} is not an int of 64 bits", token.Line);
        }
    }

    private static string Digits(Token token) => token.Text.Replace("_", "", StringComparison.Ordinal);
}
