using System.Globalization;
using System.Text;
using System.Text.Json;

namespace KvPareto.Text.Input;

/// <summary>Foreign text, made fit for a message of one line.</summary>
public static class OneLine
{
    private const int LongestName = 80;
    private const int LongestMessage = 300;
    private const int LongestQuote = 60;

    // What System.Text.Json says for programmers.
    private static readonly string[] JsonTails =
        [" which is not supported in this mode", " Expected the input to start", " Path: $", " LineNumber: "];

    /// <summary>A name or value of a foreign file: control characters and lone surrogates as <c>?</c> or U+FFFD, cut at 80
    /// characters.</summary>
    public static string Of(string text) => Of(text, LongestName, '?');

    /// <summary>Another program's message: line ends as blanks, cut at 300 characters.</summary>
    public static string OfMessage(string message) => Of(message.ReplaceLineEndings(" "), LongestMessage, ' ');

    /// <summary>An exception's message, without a full stop, since more may follow. Of JSON it says where in the file, and nothing of the
    /// reader's own options.</summary>
    public static string OfMessage(Exception error)
    {
        if (error is not JsonException { LineNumber: { } line, BytePositionInLine: { } at })
            return OfMessage(error.Message.TrimEnd('.'));
        var end = Array.ConvertAll(JsonTails, tail => error.Message.IndexOf(tail, StringComparison.Ordinal)).Where(found => found >= 0)
            .DefaultIfEmpty(error.Message.Length).Min();
        return $"{OfMessage(error.Message[..end].TrimEnd('.'))} (line {line + 1}, at byte {at})";
    }

    /// <summary>A text whose every character may matter, in single quotes: control characters and surrogates escaped, cut at 60
    /// characters.</summary>
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

    private static string Of(string text, int longest, char substitute)
    {
        var line = new StringBuilder(Math.Min(text.Length, longest) + 1);
        foreach (var rune in text.EnumerateRunes())
        {
            if (line.Length >= longest) return line.Append('…').ToString();
            if (Rune.IsControl(rune) || rune.Value is 0x2028 or 0x2029) line.Append(substitute);
            else line.Append(rune.ToString());
        }
        return line.ToString();
    }
}
