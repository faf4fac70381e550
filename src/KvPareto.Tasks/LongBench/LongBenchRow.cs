using KvPareto.Text.Input;

namespace KvPareto.Tasks.LongBench;

/// <summary>One row of a LongBench file.</summary>
internal sealed record LongBenchRow(
    string Id, LongBenchDataset Dataset, string Context, string Input, IReadOnlyList<string> Answers, IReadOnlyList<string>? AllClasses)
{
    /// <summary>
    /// The first <paramref name="limit"/> rows (null: all) of a file with the fields <c>_id</c>, <c>dataset</c>, <c>context</c>,
    /// <c>input</c>, <c>answers</c> and <c>all_classes</c>; LongBench's <c>length</c> and <c>language</c> bear on no score and are not
    /// read.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="limit">Most rows.</param>
    /// <param name="segmented">Whether there is a segmenter for the rows that need one.</param>
    /// <exception cref="ConfigException">Names file, line and field.</exception>
    public static IReadOnlyList<LongBenchRow> ReadFile(string path, int? limit, bool segmented)
    {
        var lines = new Dictionary<string, int>(StringComparer.Ordinal);
        var rows = new List<LongBenchRow>();
        foreach (var json in JsonLines.Read(path).Take(limit ?? int.MaxValue))
        {
            var row = Read(json, segmented);
            if (!lines.TryAdd(row.Id, json.Line)) throw json.Error("_id", $"is the same as in line {lines[row.Id]}; it must be unique");
            rows.Add(row);
        }
        return rows.Count > 0 ? rows : throw new ConfigException($"{path}: has no rows");
    }

    private static LongBenchRow Read(JsonRow json, bool segmented)
    {
        if (!LongBenchDataset.TryFind(json.Text("dataset"), out var dataset, out var problem)) throw json.Error("dataset", problem);
        if (dataset.NeedsSegmenter && !segmented) throw json.Error("dataset", dataset.SegmenterMissing("the task's key 'jieba'"));
        var (answers, allClasses) = (json.Texts("answers"), json.OptionalTexts("all_classes"));
        if (dataset.FindProblem(answers, allClasses) is { } found) throw json.Error(found.Field, found.Problem);
        return new LongBenchRow(json.Text("_id"), dataset, json.Text("context"), json.Text("input"), answers, allClasses);
    }
}
