using System.Globalization;

namespace KvPareto.Engine.Settings;

/// <summary>Whole numbers of short names and configs, each written in one way: digits without a sign or leading zeros.</summary>
internal static class SettingNumber
{
    private const int MostDigits = 7;

    /// <summary>Reads a number from 0 on.</summary>
    public static bool TryRead(ReadOnlySpan<char> text, out int number)
    {
        number = 0;
        if (text.Length is 0 or > MostDigits || (text.Length > 1 && text[0] == '0') || text.ContainsAnyExceptInRange('0', '9'))
            return false;
        number = int.Parse(text, CultureInfo.InvariantCulture);
        return true;
    }

    /// <summary>Reads a number from 1 on behind a prefix.</summary>
    public static bool TryAfter(string prefix, string word, out int number)
    {
        number = 0;
        return word.StartsWith(prefix, StringComparison.Ordinal) && TryRead(word.AsSpan(prefix.Length), out number) && number > 0;
    }

    /// <summary>A number as text.</summary>
    public static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
