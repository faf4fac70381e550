using System.Globalization;
using CsvHelper;
using CsvHelper.Configuration;
using KvPareto.Sweep.Reports;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Answers.Checks;

/// <summary>Reads results.csv or frontier.csv of an earlier run, by the names of its columns (docs/results-csv.md).</summary>
internal static class EarlierCsv
{
    private const int LargestFile = 1 << 28;

    private const int LongestField = 1 << 16;

    private const double MostScore = 100;
    private const double Most = 1e18;
    private const string TaskColumn = "task:";

    private static readonly string[] Needed = ["model", "setting", "total_peak_bytes", "score", "ci_low"];

    /// <summary>All settings with a result; those that failed then are left out.</summary>
    /// <exception cref="ConfigException">The file is none of these, or is damaged: names file, line and column.</exception>
    public static IReadOnlyList<EarlierPoint> Read(string path)
    {
        using var text = new StringReader(ForeignFile.ReadText(path, LargestFile).TrimStart('\uFEFF'));
        using var csv = new CsvReader(text, new CsvConfiguration(CultureInfo.InvariantCulture)
        {
            DetectColumnCountChanges = true,
            MissingFieldFound = null,
            MaxFieldSize = LongestField,
        });
        var points = new List<EarlierPoint>();
        try
        {
            if (!csv.Read() || !csv.ReadHeader()) throw new ConfigException($"{path}: is empty; {Allowed}");
            // A spreadsheet of some languages parts columns by semicolons, and writes decimal commas.
            if (csv.HeaderRecord is [var all] && all.Contains(';', StringComparison.Ordinal))
                throw new ConfigException($"{path}: its columns are parted by semicolons; {Allowed}, parted by commas");
            if (Needed.FirstOrDefault(name => !csv.HeaderRecord!.Contains(name, StringComparer.Ordinal)) is { } missing)
                throw new ConfigException($"{path}: has no column '{missing}'; {Allowed}");
            if (csv.HeaderRecord!.GroupBy(name => name, StringComparer.Ordinal).FirstOrDefault(same => same.Count() > 1) is { } doubled)
                throw new ConfigException($"{path}: has the column '{OneLine.Of(doubled.Key)}' twice; {Allowed}");
            while (csv.Read())
            {
                if (Word(path, csv, "status", "ok", "failed", "dropped") is null or "ok") points.Add(Point(path, csv));
            }
        }
        catch (CsvHelperException)
        {
            throw new ConfigException($"{path}:{csv.Parser.RawRow}: is no line of its table; {Allowed}");
        }
        if (points.Count == 0) throw new ConfigException($"{path}: holds no setting with a result; {Allowed}");
        var twice = points.GroupBy(point => (point.Model, point.Setting, point.Context)).FirstOrDefault(group => group.Count() > 1);
        return twice is null
            ? points
            : throw new ConfigException($"{path}: has {OneLine.Of(twice.Key.Setting)} of {OneLine.Of(twice.Key.Model)} twice; {Allowed}");
    }

    private const string Allowed = "allowed: results.csv or frontier.csv of a run";

    private static EarlierPoint Point(string path, CsvReader csv) => new(
        CsvTable.Read(csv.GetField("model")!), csv.GetField("setting")!, Whole(path, csv, "context"),
        (long)Number(path, csv, "total_peak_bytes", Most), IsScored(csv) ? Number(path, csv, "score", MostScore) : null,
        IsScored(csv) ? Low(path, csv) : null)
    {
        Trial = Optional(csv, "trial"),
        ModelDigest = Optional(csv, "model_digest"),
        Samples = Whole(path, csv, "samples"),
        Tasks = [.. Tasks(csv)],
        OnFrontier = Word(path, csv, "frontier", "true", "false") is null or "true",
        Limit = Whole(path, csv, "limit"),
        Instructions = Optional(csv, "instructions"),
    };

    // Made-up prompts have no score, and then nothing else of one.
    private static bool IsScored(CsvReader csv) =>
        Optional(csv, "score") is not null || Optional(csv, "ci_low") is not null || Tasks(csv).Any();

    private static string? Optional(CsvReader csv, string column) =>
        csv.TryGetField<string>(column, out var text) && text is { Length: > 0 } ? text : null;

    private static IEnumerable<string> Tasks(CsvReader csv) =>
        csv.HeaderRecord!.Where(name => name.StartsWith(TaskColumn, StringComparison.Ordinal) && Optional(csv, name) is not null)
            .Select(name => name[TaskColumn.Length..]);

    private static double Low(string path, CsvReader csv)
    {
        var (low, score) = (Number(path, csv, "ci_low", MostScore), Number(path, csv, "score", MostScore));
        return low <= score ? low : throw Wrong(path, csv, "ci_low", "a number up to the score");
    }

    private static string? Word(string path, CsvReader csv, string column, params ReadOnlySpan<string> words)
    {
        var text = Optional(csv, column)?.ToLowerInvariant(); // a spreadsheet writes TRUE
        return text is null || words.Contains(text) ? text : throw Wrong(path, csv, column, string.Join(", ", words));
    }

    private static int? Whole(string path, CsvReader csv, string column)
    {
        if (Optional(csv, column) is not { } text) return null;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number
            : throw Wrong(path, csv, column, "a whole number of at least 0");
    }

    private static double Number(string path, CsvReader csv, string column, double most) =>
        double.TryParse(csv.GetField(column), NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
        && number >= 0 && number <= most
            ? number
            : throw Wrong(path, csv, column, most == MostScore ? "a number from 0 to 100" : "a number of at least 0");

    private static ConfigException Wrong(string path, CsvReader csv, string column, string allowed) =>
        new($"{path}:{csv.Parser.RawRow}: column '{column}' is '{OneLine.Of(csv.GetField(column) ?? "")}'; allowed: {allowed}");
}
