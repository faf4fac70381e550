using KvPareto.Text.Input;

namespace KvPareto.Tasks.Scoring;

/// <summary>
/// Scores stored predictions without the model (<see cref="PredictionReader"/> tells the forms, <see cref="TaskScores"/> the tasks).
/// Samples of a run's <c>samples/</c> have their scores already, and keep them.
/// </summary>
public static class PredictionScorer
{
    /// <summary>What standard input is called in messages.</summary>
    public const string StandardInput = "standard input";

    private const string Forms =
        "allowed: a line of JSON for each prediction, with task, prediction and answers, or as LongBench, lm-evaluation-harness "
            + "(--log_samples) or a run's samples/ have it";

    private static readonly string[] Endings = [".jsonl", ".jsonl.gz"];

    /// <summary>The files that a path means: itself, or those of a folder that end in .jsonl or .jsonl.gz; of a run's folder those of its
    /// samples/.</summary>
    /// <exception cref="ConfigException">There is no such path, or no such file in the folder.</exception>
    public static IReadOnlyList<string> Files(string path)
    {
        if (!Directory.Exists(path))
            return File.Exists(path) ? [path] : throw new ConfigException($"{path}: there is no such file or folder; {Forms}");
        var samples = Path.Combine(path, "samples");
        var folder = Directory.Exists(samples) ? samples : path;
        string[] files =
            [.. Directory.EnumerateFiles(folder).Where(file => Endings.Any(ending => file.EndsWith(ending, StringComparison.Ordinal)))
            .Order(StringComparer.Ordinal)];
        return files.Length > 0 ? files : throw new ConfigException($"{folder}: has no file that ends in .jsonl or .jsonl.gz; {Forms}");
    }

    /// <summary>The rows of a JSON Lines file (or <c>.jsonl.gz</c>) with their scores, read one at a time and in order.</summary>
    /// <param name="path">The file.</param>
    /// <param name="jieba">Folder of jieba's data, read at the first row whose score needs it; null where none does.</param>
    /// <param name="task">Task of rows that name none; null where the file's name tells.</param>
    /// <exception cref="ConfigException">
    /// While reading: the file, a row or jieba's data are damaged, or a task is unknown or needs those data; names file, line and field. At
    /// the end: there was no row.
    /// </exception>
    public static IEnumerable<ScoredPrediction> ScoreFile(string path, string? jieba = null, string? task = null) =>
        Score(path, JsonLines.Read(path), new PredictionReader(Stem(path), task), jieba);

    /// <summary>The same of standard input, which has no name to take a task from.</summary>
    public static IEnumerable<ScoredPrediction> ScoreStream(Stream stream, string? jieba = null, string? task = null) =>
        Score(StandardInput, JsonLines.Read(StandardInput, stream), new PredictionReader(null, task), jieba);

    private static IEnumerable<ScoredPrediction> Score(string name, IEnumerable<JsonRow> rows, PredictionReader reader, string? jieba)
    {
        var any = false;
        foreach (var row in rows)
        {
            any = true;
            foreach (var scored in RunSample.IsOne(row) ? RunSample.Read(row) : [Scored(reader.Read(row), jieba)]) yield return scored;
        }
        if (!any) throw new ConfigException($"{name}: has no rows; {Forms}");
    }

    private static ScoredPrediction Scored(StoredPrediction stored, string? jieba) =>
        new(stored.Row.Line, stored.Task, TaskScores.Of(stored, jieba));

    private static string Stem(string path)
    {
        var name = Path.GetFileName(path);
        return Endings.Append(".json").FirstOrDefault(ending => name.EndsWith(ending, StringComparison.OrdinalIgnoreCase)) is { } ending
            ? name[..^ending.Length] : name;
    }
}
