namespace KvPareto.Cli.Terminal;

/// <summary>Text of models, files and users made harmless for a terminal, which obeys some characters.</summary>
internal static class TerminalText
{
    private const char Unprintable = '\uFFFD';

    /// <summary>For a name or a message: control characters, line ends and changes of writing direction as blanks.</summary>
    public static string OneLine(string text) =>
        Replace(text, static c => char.IsControl(c) || c is '\u2028' or '\u2029' || TurnsDirection(c), ' ');

    /// <summary>For text of several lines: every control character but line feed and tab as U+FFFD, a carriage return before a line feed
    /// left out.</summary>
    public static string Lines(string text) => Replace(text.Replace("\r\n", "\n", StringComparison.Ordinal), IsUnprintable, Unprintable);

    /// <summary>Whether a character would steer a terminal: all control characters but line feed and tab.</summary>
    public static bool IsUnprintable(char c) => char.IsControl(c) && c is not ('\n' or '\t');

    // What follows an override or an embedding in a table would stand in the wrong place.
    private static bool TurnsDirection(char c) => c is (>= '\u202A' and <= '\u202E') or (>= '\u2066' and <= '\u2069');

    private static string Replace(string text, Func<char, bool> isHarmful, char substitute) =>
        text.Any(isHarmful) ? string.Concat(text.Select(c => isHarmful(c) ? substitute : c)) : text;
}
