using System.Text;

namespace KvPareto.Text.Input;

/// <summary>Text of a foreign file, made fit for a message of one line.</summary>
internal static class OneLine
{
    private const int Longest = 80;

    /// <summary><paramref name="text"/> without control characters or lone surrogates, cut at 80 characters.</summary>
    public static string Of(string text)
    {
        var line = new StringBuilder(Math.Min(text.Length, Longest) + 1);
        foreach (var rune in text.EnumerateRunes())
        {
            if (line.Length >= Longest) return line.Append('…').ToString();
            line.Append(Rune.IsControl(rune) || rune.Value is 0x2028 or 0x2029 ? "?" : rune.ToString());
        }
        return line.ToString();
    }
}
