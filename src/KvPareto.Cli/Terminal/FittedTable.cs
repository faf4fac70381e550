using Spectre.Console;
using Spectre.Console.Rendering;

namespace KvPareto.Cli.Terminal;

/// <summary>A column of a <see cref="FittedTable{TRow}"/>.</summary>
/// <param name="Name">Its heading.</param>
/// <param name="Rank">0 for a column that always stands; of the others the highest is left out first.</param>
/// <param name="Cell">Its text for a row.</param>
internal sealed record FittedColumn<TRow>(string Name, int Rank, Func<TRow, string> Cell)
{
    /// <summary>Text stands to the left, numbers to the right.</summary>
    public bool IsText { get; init; }

    /// <summary>A row's style; null for plain.</summary>
    public Func<TRow, Style?> Style { get; init; } = _ => null;
}

/// <summary>
/// A table whose rows never wrap and whose cells are never cut: where it is wider than the terminal, columns are left out and named below.
/// </summary>
/// <param name="columns">All columns.</param>
/// <param name="elsewhere">Where the columns left out are to be found.</param>
internal sealed class FittedTable<TRow>(IReadOnlyList<FittedColumn<TRow>> columns, string elsewhere)
{
    // Of TableBorder.Simple with a blank to either side of a cell.
    private const int EdgeCells = 2;
    private const int PaddingCells = 2;
    private const int BetweenCells = 1;

    /// <summary>Writes the table and, where columns are left out, a line that names them.</summary>
    /// <param name="console">Where to.</param>
    /// <param name="width">Columns of the terminal; null where it is none and the table may be of any width.</param>
    /// <param name="rows">The rows.</param>
    public void Write(IAnsiConsole console, int? width, IReadOnlyList<TRow> rows)
    {
        var texts = columns.ToDictionary(column => column, column => rows.Select(row => TerminalText.OneLine(column.Cell(row))).ToArray());
        var widths = columns.ToDictionary(column => column, column => texts[column].Append(column.Name).Max(Cells));
        FittedColumn<TRow>[] filled = [.. columns.Where(column => texts[column].Any(text => text.Length > 0))];
        var shown = Fitting(filled, width, widths);
        var table = new Table().Border(TableBorder.Simple);
        foreach (var column in shown)
        {
            var heading = new TableColumn(new Spectre.Console.Text(column.Name)).NoWrap();
            table.AddColumn(column.IsText ? heading : heading.RightAligned());
        }
        for (var i = 0; i < rows.Count; i++)
            table.AddRow(shown.Select(column => new Spectre.Console.Text(texts[column][i], column.Style(rows[i]))));

        var before = console.Profile.Width;
        // A cell is never cut, even if the terminal must wrap the line.
        console.Profile.Width = Math.Max(width ?? 0, Total(shown, widths));
        console.Write(table);
        console.Profile.Width = width ?? Math.Max(before, console.Profile.Width);
        string[] left = [.. filled.Where(column => !shown.Contains(column)).Select(column => column.Name)];
        if (left.Length > 0) console.WriteLine($"left out at {width} columns: {string.Join(", ", left)}; {elsewhere}");
        console.Profile.Width = before;
    }

    private static FittedColumn<TRow>[] Fitting(FittedColumn<TRow>[] shown, int? width, Dictionary<FittedColumn<TRow>, int> widths)
    {
        while (width is { } room && Total(shown, widths) > room && shown.MaxBy(column => column.Rank) is { Rank: > 0 } least)
            shown = [.. shown.Where(column => column != least)];
        return shown;
    }

    private static int Total(FittedColumn<TRow>[] shown, Dictionary<FittedColumn<TRow>, int> widths) =>
        EdgeCells + shown.Sum(column => widths[column] + PaddingCells) + BetweenCells * (shown.Length - 1);

    private static int Cells(string text) => new Segment(text).CellCount();
}
