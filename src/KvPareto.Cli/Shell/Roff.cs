using System.Globalization;
using System.Text;

namespace KvPareto.Cli.Shell;

/// <summary>Text in the language of manual pages, in ASCII: man(7), with <c>.EX</c> for lines that stay as they are.</summary>
internal sealed class Roff
{
    private readonly StringBuilder _text = new();

    /// <summary>A request or macro with its arguments, each of which may hold blanks.</summary>
    public Roff Macro(string name, params IEnumerable<string> arguments)
    {
        _text.Append('.').Append(name);
        foreach (var argument in arguments)
            _text.Append(" \"").Append(Escape(argument).Replace("\"", "\\(dq", StringComparison.Ordinal)).Append('"');
        _text.Append('\n');
        return this;
    }

    /// <summary>A paragraph's text.</summary>
    public Roff Line(string text)
    {
        // A line that began so would be read as a macro.
        if (text.StartsWith('.') || text.StartsWith('\'')) _text.Append("\\&");
        _text.Append(Escape(text)).Append('\n');
        return this;
    }

    /// <summary>Lines as they are.</summary>
    public Roff Lines(string text)
    {
        Macro("EX");
        foreach (var line in text.TrimEnd('\n').Split('\n')) Line(line);
        return Macro("EE");
    }

    /// <inheritdoc/>
    public override string ToString() => _text.ToString();

    private static string Escape(string text)
    {
        var escaped = new StringBuilder();
        foreach (var rune in text.EnumerateRunes())
        {
            escaped.Append(rune.Value switch
            {
                '\\' => "\\(rs",
                '-' => "\\-",
                '\'' => "\\(aq",
                '`' => "\\(ga",
                '^' => "\\(ha",
                '~' => "\\(ti",
                < 0x80 => rune.ToString(),
                _ => string.Create(CultureInfo.InvariantCulture, $"\\[u{rune.Value:X4}]"),
            });
        }
        return escaped.ToString();
    }
}
