using System.IO.Compression;
using System.Text.Json;
using KvPareto.Tasks.LongBench;
using KvPareto.Tasks.Scoring;
using KvPareto.Testing;

namespace KvPareto.Tasks.Tests.Metrics;

/// <summary>Scores that LongBench's own code gave, over edge cases and over real predictions.</summary>
public class LongBenchGoldenTests
{
    private const double ScoreTolerance = 1e-9;

    [Fact]
    public void EdgeCases_ScoreAsLongBench()
    {
        using var stream = File.OpenRead(TestData.Golden("longbench-metrics-edge.jsonl"));
        Assert.Equal(706, CheckRows(stream)); // the other 80 need Chinese segmentation
    }

    [Fact]
    public void RealPredictions_ScoreAsLongBench()
    {
        using var file = File.OpenRead(TestData.SharedOrSkip("data", "longbench-metrics", "rows.jsonl.gz"));
        using var stream = new GZipStream(file, CompressionMode.Decompress);
        Assert.Equal(4150, CheckRows(stream));
    }

    [Fact]
    public void RealPredictions_TotalAsLongBench()
    {
        var rows = TestData.SharedOrSkip("data", "longbench-metrics", "rows.jsonl.gz");
        using var official = JsonDocument.Parse(File.ReadAllText(TestData.SharedOrSkip("data", "longbench-metrics", "totals.json")));
        using var folder = new TemporaryFolder();
        var supported = Path.Combine(folder.Path, "supported.jsonl");
        using (var reader = new StreamReader(new GZipStream(File.OpenRead(rows), CompressionMode.Decompress)))
        using (var writer = new StreamWriter(supported))
        {
            while (reader.ReadLine() is { } line)
            {
                using var row = JsonDocument.Parse(line);
                if (LongBenchDataset.TryFind(row.RootElement.GetProperty("task").GetString()!, out _, out _)) writer.WriteLine(line);
            }
        }
        var totals = new TaskTotals();
        foreach (var scored in PredictionScorer.ScoreFile(supported)) totals.Add(scored);
        Assert.Equal(18, totals.Totals.Count);
        Assert.All(
            totals.Totals,
            total => Assert.Equal(official.RootElement.GetProperty(total.Task).GetDouble(), total.RoundedPercent));
    }

    private static int CheckRows(Stream stream)
    {
        using var reader = new StreamReader(stream);
        var count = 0;
        while (reader.ReadLine() is { } line)
        {
            using var document = JsonDocument.Parse(line);
            var row = document.RootElement;
            if (!LongBenchDataset.TryFind(row.GetProperty("task").GetString()!, out var dataset, out _)) continue;
            var score = dataset.Score(row.GetProperty("prediction").GetString()!, Texts(row, "answers")!, Texts(row, "all_classes"));
            Assert.True(Math.Abs(score - row.GetProperty("score").GetDouble()) <= ScoreTolerance, $"{score} for {line}");
            count++;
        }
        return count;
    }

    private static string[]? Texts(JsonElement row, string field) =>
        row.GetProperty(field) is { ValueKind: JsonValueKind.Array } list ? [.. list.EnumerateArray().Select(item => item.GetString()!)] : null;
}
