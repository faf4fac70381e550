using Spectre.Console.Rendering;

namespace KvPareto.Cli.Terminal;

/// <summary>Lines that break between words, or a command's between its parts.</summary>
internal static class WrappedText
{
    /// <summary>Columns where there is no terminal.</summary>
    public const int UsualWidth = 80;

    private const int Indent = 4;

    /// <summary>Words in lines of at most <paramref name="width"/> columns; further lines begin
    /// <paramref name="next"/> columns in.</summary>
    public static IEnumerable<string> Words(string text, int width, int first = 0, int next = 0) =>
        Lines(TerminalText.OneLine(text).Split(' '), width, "", first, next);

    /// <summary>Writes words to standard output, in lines of the terminal's columns.</summary>
    public static void Write(CommandContext context, string text)
    {
        foreach (var line in Words(text, context.OutputWidth() ?? UsualWidth)) context.Output.WriteLine(line);
    }

    /// <summary>A command's parts, a backslash at the end of each line but the last; where a part is wider, so is its line.</summary>
    public static IEnumerable<string> Command(IReadOnlyList<string> parts, int width, string more = " \\") =>
        Lines([.. parts.Select(TerminalText.OneLine)], width, more, 2, 2 + Indent);

    private static IEnumerable<string> Lines(string[] parts, int width, string more, int first, int next)
    {
        var line = new string(' ', first) + parts[0];
        foreach (var part in parts.Skip(1))
        {
            if (Cells(line) + 1 + Cells(part) + more.Length <= width)
            {
                line += " " + part;
                continue;
            }
            yield return line + more;
            line = new string(' ', next) + part;
        }
        yield return line;
    }

    private static int Cells(string text) => new Segment(text).CellCount();
}
