using System.Globalization;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Results;

/// <summary>Byte counts for people.</summary>
public static class ByteText
{
    private const double Most = 1L << 50;

    private static readonly string[] Units = ["B", "KiB", "MiB", "GiB", "TiB"];

    /// <summary>Three significant digits or more, in the largest unit that fits: <c>812 KiB</c>, <c>8.14 MiB</c>.</summary>
    public static string Of(long bytes)
    {
        var (value, unit) = ((double)bytes, 0);
        for (; value >= 1000 && unit < Units.Length - 1; unit++) value /= 1024;
        var format = unit == 0 || value >= 100 ? "F0" : value >= 10 ? "F1" : "F2";
        return $"{value.ToString(format, CultureInfo.InvariantCulture)} {Units[unit]}";
    }

    /// <summary>Reads <c>8GiB</c>, <c>12 GB</c>, <c>7.5GiB</c>: KiB to TiB are powers of 1,024, KB to TB of 1,000; a unit is needed, since
    /// a bare number is as likely meant as GiB as it is as bytes.</summary>
    /// <param name="option">The option, for messages.</param>
    /// <param name="text">What was written.</param>
    /// <exception cref="ConfigException">It is no number of bytes from 1 to 1,024 TiB.</exception>
    public static long Parse(string option, string text)
    {
        var digits = text.TrimEnd([.. "BKMGTi"]);
        var (size, name) = text[digits.Length..] switch
        {
            "B" => (1.0, true),
            [var letter, 'i', 'B'] => (Math.Pow(1024, Power(letter)), Power(letter) > 0),
            [var letter, 'B'] => (Math.Pow(1000, Power(letter)), Power(letter) > 0),
            _ => (0, false),
        };
        return name && double.TryParse(digits.TrimEnd(), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
            && number * size is >= 1 and <= Most
            ? (long)(number * size)
            : throw new ConfigException(
                $"{option} '{text}'; allowed: a number and a unit, such as 8GiB: B, KB, MB, GB, TB, KiB, MiB, GiB, TiB");

        static int Power(char letter) => "KMGT".IndexOf(letter, StringComparison.Ordinal) + 1;
    }
}
