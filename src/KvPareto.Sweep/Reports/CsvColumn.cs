using System.Globalization;
using CsvHelper;
using CsvHelper.Configuration;

namespace KvPareto.Sweep.Reports;

/// <summary>A column of a CSV file.</summary>
/// <param name="Name">Its heading.</param>
/// <param name="Cell">Its text for a row; empty where there is no value.</param>
internal sealed record CsvColumn<TRow>(string Name, Func<TRow, string?> Cell)
{
    /// <summary>Whether cells are names or words, which may come from outside, and not numbers.</summary>
    public bool IsText { get; init; }
}

/// <summary>Writes CSV (RFC 4180) with a heading line, in UTF-8 without a mark, LF after every line and no comments.</summary>
internal static class CsvTable
{
    // The wide forms are read as the narrow ones where the keyboard is East Asian.
    private const string FormulaStarts = "=+-@＝＋－＠";

    /// <summary>The whole file.</summary>
    public static byte[] Write<TRow>(IReadOnlyList<CsvColumn<TRow>> columns, IEnumerable<TRow> rows)
    {
        using var buffer = new MemoryStream();
        using (var text = new StreamWriter(buffer, leaveOpen: true))
        using (var csv = new CsvWriter(text, new CsvConfiguration(CultureInfo.InvariantCulture) { NewLine = "\n" }))
        {
            foreach (var column in columns) csv.WriteField(OneLine(column.Name));
            csv.NextRecord();
            foreach (var row in rows)
            {
                foreach (var column in columns)
                    csv.WriteField(column.IsText ? Harmless(OneLine(column.Cell(row))) : OneLine(column.Cell(row)));
                csv.NextRecord();
            }
        }
        return buffer.ToArray();
    }

    /// <summary>A text as it was before it was written to a cell: without the apostrophe of <see cref="Write"/>.</summary>
    public static string Read(string cell) => cell is ['\'', .. var text] && Harmless(text) == cell ? text : cell;

    /// <summary>With an apostrophe before what a spreadsheet would take for a formula, blanks before it or not.</summary>
    private static string Harmless(string text) =>
        text.AsSpan().TrimStart() is [var first, ..] && FormulaStarts.Contains(first, StringComparison.Ordinal) ? "'" + text : text;

    /// <summary>Control characters as spaces, so that a record is a line whatever reads it.</summary>
    private static string OneLine(string? text) =>
        text is null ? "" : string.Create(text.Length, text, (line, source) =>
        {
            for (var i = 0; i < line.Length; i++) line[i] = char.IsControl(source[i]) ? ' ' : source[i];
        });
}
