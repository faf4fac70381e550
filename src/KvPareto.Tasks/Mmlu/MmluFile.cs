using System.Globalization;
using CsvHelper;
using CsvHelper.Configuration;
using KvPareto.Engine;
using KvPareto.Text.Input;

namespace KvPareto.Tasks.Mmlu;

/// <summary>
/// Reads a CSV file of MMLU in either form: the first release's (no header, the answer a letter), or the later one (the header
/// <c>question,choice0,choice1,choice2,choice3,answer</c>, the answer an index from 0). Fields may hold line breaks.
/// </summary>
internal static class MmluFile
{
    /// <summary>Largest file that is read: several times the largest subject's.</summary>
    internal const int MaxBytes = 8 << 20;

    private const string Indices = "0123";

    private static readonly string[] Header = ["question", "choice0", "choice1", "choice2", "choice3", "answer"];

    /// <summary>The first <paramref name="limit"/> rows; null for all.</summary>
    /// <exception cref="ConfigException">The file cannot be read or is damaged; names file, line and what is wrong.</exception>
    public static IReadOnlyList<MmluRow> Read(string path, int? limit)
    {
        var rows = new List<MmluRow>();
        var (line, answers) = (1, (string?)null);
        var form = new CsvConfiguration(CultureInfo.InvariantCulture)
        {
            Mode = CsvMode.RFC4180,
            BadDataFound = _ =>
                throw Damaged(
                    path, line, "a quotation mark stands within a field; allowed: fields quoted whole, and marks in them doubled"),
        };
        using var parser = new CsvParser(new StringReader(ForeignFile.ReadText(path, MaxBytes).TrimStart('\uFEFF')), form);
        while (rows.Count < (limit ?? int.MaxValue) && parser.Read())
        {
            if (parser.Count != Header.Length)
                throw Damaged(
                    path, line, $"has {CountText.Of(parser.Count, "field")}; allowed: {Header.Length}, a question, "
                        + "four choices and the answer");
            var fields = parser.Record!;
            if (answers is null && fields.SequenceEqual(Header)) answers = Indices;
            else rows.Add(Row(path, line, fields, answers ??= MmluRow.Letters));
            line = parser.RawRow + 1;
        }
        return rows.Count > 0 ? rows : throw new ConfigException($"{path}: has no rows; allowed: at least one question");
    }

    private static MmluRow Row(string path, int line, string[] fields, string answers)
    {
        var answer = fields[^1] is [var letter] ? answers.IndexOf(letter, StringComparison.Ordinal) : -1;
        return answer >= 0
            ? new(fields[0], fields[1..^1], answer)
            : throw Damaged(path, line, $"the answer is none of the choices; allowed: {string.Join(", ", answers.ToCharArray())}");
    }

    private static ConfigException Damaged(string path, int line, string problem) => new($"{path}:{line}: {problem}");
}
