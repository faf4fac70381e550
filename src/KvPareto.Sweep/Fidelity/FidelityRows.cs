using System.Text;
using System.Text.Json;
using KvPareto.Sweep.Journaling;
using KvPareto.Sweep.Results;
using KvPareto.Sweep.Runs;
using KvPareto.Sweep.Storage;
using KvPareto.Tasks.Predictions;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Fidelity;

/// <summary>Where rows come from: the samples of runs, or files; and how they stand in JSON.</summary>
public static class FidelityRows
{
    // Far beyond anything measured, and near enough that a picture can be drawn of it.
    private const double Least = 1e-6;
    private const double Most = 1e18;
    private const double MostBits = 1e6;
    private const string Allowed = "the folder of a run with the task fidelity";

    /// <summary>All rows in one line, <c>{"settings":[…]}</c>.</summary>
    public static string ToJson(IReadOnlyList<FidelityRow> rows) => Encoding.UTF8.GetString(JournalJson.WriteLine(new Document(rows)));

    /// <summary>The rows of a run: one for each trial and text of the task fidelity, in the order of the plan.</summary>
    /// <exception cref="ConfigException">The run's samples are damaged.</exception>
    public static IReadOnlyList<FidelityRow> OfRun(RunHistory history) =>
        [.. history.Results.SelectMany(trial => Of(trial, history.SamplesOf(trial)))];

    /// <summary>The rows of a trial: one for each text.</summary>
    /// <param name="folder">Folder of its run.</param>
    /// <param name="trial">The trial.</param>
    /// <exception cref="ConfigException">Its samples are damaged.</exception>
    public static IEnumerable<FidelityRow> OfTrial(string folder, TrialResult trial) =>
        Of(trial, SampleLog.Read(RunPaths.Samples(folder, trial.TrialId)).Records);

    /// <summary>The same of samples that were read.</summary>
    internal static IEnumerable<FidelityRow> Of(TrialResult trial, IEnumerable<SampleRecord> samples) =>
        from task in samples.GroupBy(record => record.Task)
        where trial.Status == TrialStatus.Ok && task.All(record => record.Prediction is FidelityPrediction)
        select Checked(trial, FidelityRow.Of(trial, task.Key, [.. task]));

    /// <summary>
    /// The rows of a file, one a line, as earlier versions wrote them; of a setting that stands several times for one model, text and
    /// window, the last.
    /// </summary>
    /// <exception cref="ConfigException">The file is missing or empty, or a line is no row.</exception>
    public static IReadOnlyList<FidelityRow> Read(string path)
    {
        if (!File.Exists(path)) throw new ConfigException($"{path}: there is no such file or folder; allowed: {Allowed}");
        var rows = new Dictionary<(string, string, int, int, string), FidelityRow>();
        foreach (var (number, line) in LineReader.Read(path))
        {
            var row = Parse(path, number, line.Span);
            rows[(row.Model, row.Text, row.Tokens, row.Window, row.Setting)] = row;
        }
        return rows.Count > 0 ? [.. rows.Values] : throw new ConfigException($"{path}: holds no rows; allowed: {Allowed}");
    }

    private static FidelityRow Parse(string path, int number, ReadOnlySpan<byte> line)
    {
        try
        {
            var row = JournalJson.Read<FidelityRow>(line);
            return IsInRange(row) ? row : throw new JsonException("a value is out of range");
        }
        catch (JsonException error)
        {
            var reason = OneLine.OfMessage(error);
            throw new ConfigException($"{path}:{number}: no row: {reason}; allowed: {Allowed}", error);
        }
    }

    private static FidelityRow Checked(TrialResult trial, FidelityRow row) => IsInRange(row)
        ? row
        : throw new ConfigException($"samples/{trial.TrialId}.jsonl: the figures of '{row.Text}' are out of range; the file is damaged"
            + "; allowed: what a sweep wrote");

    private static bool IsInRange(FidelityRow row) =>
        row is { Tokens: > 0, Window: > 0, BitsPerElement: >= Least and <= MostBits, BytesPerToken: >= Least and <= Most }
        and { WeightBytes: >= 0, Ppl: >= 1 and <= Most, ReferencePpl: >= 1 and <= Most, PplSecondHalf: >= 1 and <= Most }
        and { KlMean: >= 0 and <= Most, KlP50: >= 0 and <= Most, KlP99: >= 0 and <= Most, KlMax: >= 0 and <= Most }
        and { KlSecondHalf: >= 0 and <= Most, Top1: >= 0 and <= 1, Seconds: >= 0 and <= Most };

    private sealed record Document(IReadOnlyList<FidelityRow> Settings);
}
