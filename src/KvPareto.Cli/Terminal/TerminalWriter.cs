using System.Text;

namespace KvPareto.Cli.Terminal;

/// <summary>
/// Passes text on without what would steer a terminal: of control characters only line feed and tab, the others as U+FFFD. It does so
/// whatever the text goes to, for a file is shown on a terminal later. JSON has all of them as escapes.
/// </summary>
/// <param name="inner">Where the text goes.</param>
internal sealed class TerminalWriter(TextWriter inner) : TextWriter
{
    /// <inheritdoc/>
    public override Encoding Encoding => inner.Encoding;

    /// <inheritdoc/>
    public override void Write(char value) => inner.Write(TerminalText.IsUnprintable(value) ? '\uFFFD' : value);

    /// <inheritdoc/>
    public override void Write(string? value)
    {
        if (value is not null) inner.Write(TerminalText.Lines(value));
    }

    /// <inheritdoc/>
    public override void Write(char[] buffer, int index, int count) => Write(new string(buffer, index, count));

    /// <inheritdoc/>
    public override void Write(ReadOnlySpan<char> buffer) => Write(buffer.ToString());

    /// <inheritdoc/>
    public override void WriteLine(string? value) => Write(value + "\n");

    /// <inheritdoc/>
    public override void WriteLine() => Write("\n");

    /// <inheritdoc/>
    public override void Flush() => inner.Flush();
}
