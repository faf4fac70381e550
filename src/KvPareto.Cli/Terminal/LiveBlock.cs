using System.Globalization;
using Spectre.Console.Rendering;

namespace KvPareto.Cli.Terminal;

/// <summary>
/// Lines at a terminal's bottom that are drawn again and again. A terminal that was made narrower has wrapped them meanwhile: they are
/// taken away by the rows that they fill at its present width, so that none is left behind.
/// </summary>
/// <param name="output">The terminal.</param>
/// <param name="width">Its columns now.</param>
internal sealed class LiveBlock(TextWriter output, Func<int> width)
{
    private const string ClearToEnd = "\e[J";

    private int[] _drawn = []; // cells of each line
    private string _shown = "";

    /// <summary>Shows these lines in place of those before, each cut to the terminal.</summary>
    public void Draw(IReadOnlyList<string> lines)
    {
        var now = width();
        var cut = lines.Select(line => Cut(TerminalText.OneLine(line), now - 1)).ToList();
        // The cursor rests below the last line: at the end of one it would be in doubt where that is as wide as the terminal.
        var shown = string.Concat(cut.Select(line => line + "\n"));
        if (shown == _shown && Rows(now) == _drawn.Length) return;
        output.Write(Erase(now) + shown);
        output.Flush();
        (_drawn, _shown) = ([.. cut.Select(Cells)], shown);
    }

    /// <summary>Writes a line above, which stays.</summary>
    public void Print(string line)
    {
        output.Write(Erase(width()) + TerminalText.OneLine(line) + "\n" + _shown);
        output.Flush();
    }

    /// <summary>Takes the lines away.</summary>
    public void Clear()
    {
        output.Write(Erase(width()));
        output.Flush();
        (_drawn, _shown) = ([], "");
    }

    private string Erase(int now) =>
        Rows(now) is > 0 and var rows ? string.Create(CultureInfo.InvariantCulture, $"\r\e[{rows}A{ClearToEnd}") : "";

    private int Rows(int now) => _drawn.Sum(cells => Math.Max(1, (cells + now - 1) / now));

    private static string Cut(string line, int cells)
    {
        if (Cells(line) <= cells) return line;
        var text = new StringInfo(line);
        var length = text.LengthInTextElements;
        while (length > 0 && Cells(text.SubstringByTextElements(0, length)) > cells - 1) length--;
        return cells < 1 ? "" : (length == 0 ? "" : text.SubstringByTextElements(0, length)) + "…";
    }

    private static int Cells(string text) => new Segment(text).CellCount();
}
