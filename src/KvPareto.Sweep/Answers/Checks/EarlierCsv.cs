using System.Globalization;
using CsvHelper;
using CsvHelper.Configuration;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Answers.Checks;

/// <summary>Reads results.csv or frontier.csv of an earlier run, by the names of its columns (docs/results-csv.md).</summary>
internal static class EarlierCsv
{
    private const int LargestFile = 1 << 28;

    private const double MostScore = 100;
    private const double Most = 1e18;
    private const string TaskColumn = "task:";

    private static readonly string[] Needed = ["model", "setting", "total_peak_bytes", "score", "ci_low"];

    /// <summary>All settings with a result; those that failed then are left out.</summary>
    /// <exception cref="ConfigException">The file is none of these, or is damaged: names file, line and column.</exception>
    public static IReadOnlyList<EarlierPoint> Read(string path)
    {
        using var text = new StreamReader(new MemoryStream(ForeignFile.ReadAll(path, LargestFile)));
        using var csv = new CsvReader(
            text, new CsvConfiguration(CultureInfo.InvariantCulture) { DetectColumnCountChanges = true, MissingFieldFound = null });
        var points = new List<EarlierPoint>();
        try
        {
            if (!csv.Read() || !csv.ReadHeader()) throw new ConfigException($"{path}: is empty; {Allowed}");
            if (Needed.FirstOrDefault(name => !csv.HeaderRecord!.Contains(name, StringComparer.Ordinal)) is { } missing)
                throw new ConfigException($"{path}: has no column '{missing}'; {Allowed}");
            while (csv.Read())
            {
                // Made-up prompts have no score.
                if (Optional(csv, "status") is null or "ok" && Optional(csv, "score") is not null) points.Add(Point(path, csv));
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
        csv.GetField("model")!, csv.GetField("setting")!, Whole(path, csv, "context"), (long)Number(path, csv, "total_peak_bytes", Most),
        Number(path, csv, "score", MostScore), Number(path, csv, "ci_low", MostScore))
    {
        Trial = Optional(csv, "trial"),
        ModelDigest = Optional(csv, "model_digest"),
        Samples = Whole(path, csv, "samples"),
        Tasks =
        [
            .. csv.HeaderRecord!.Where(name => name.StartsWith(TaskColumn, StringComparison.Ordinal) && Optional(csv, name) is not null)
                .Select(name => name[TaskColumn.Length..]),
        ],
        OnFrontier = Optional(csv, "frontier") is null or "true",
        PeakKind = Optional(csv, "peak_kind"),
        Limit = Whole(path, csv, "limit"),
        Instructions = Optional(csv, "instructions"),
    };

    private static string? Optional(CsvReader csv, string column) =>
        csv.TryGetField<string>(column, out var text) && text is { Length: > 0 } ? text : null;

    private static int? Whole(string path, CsvReader csv, string column) =>
        Optional(csv, column) is null ? null : (int)Math.Min(int.MaxValue, Number(path, csv, column, Most));

    private static double Number(string path, CsvReader csv, string column, double most) =>
        double.TryParse(csv.GetField(column), NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
        && number >= 0 && number <= most
            ? number
            : throw new ConfigException(
                $"{path}:{csv.Parser.RawRow}: column '{column}' is '{OneLine.Of(csv.GetField(column) ?? "")}'; allowed: a number "
                    + (most == MostScore ? "from 0 to 100" : "of at least 0"));
}
