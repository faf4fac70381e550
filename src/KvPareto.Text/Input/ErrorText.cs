using System.Globalization;
using System.Text;

namespace KvPareto.Text.Input;

/// <summary>Shows text from a hostile file within a one-line message.</summary>
internal static class ErrorText
{
    private const int LongestQuote = 60;

    /// <summary><paramref name="text"/> in single quotes, shortened, control characters and line ends escaped.</summary>
    public static string Quote(ReadOnlySpan<char> text)
    {
        var shown = text.Length > LongestQuote ? text[..LongestQuote] : text;
        var builder = new StringBuilder("'");
        foreach (var c in shown)
            if (char.IsControl(c) || char.IsSurrogate(c) || c is '\u2028' or '\u2029')
                builder.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
            else builder.Append(c);
        return builder.Append(shown.Length < text.Length ? "…'" : "'").ToString();
    }
}
