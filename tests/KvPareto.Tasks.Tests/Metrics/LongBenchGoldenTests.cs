using System.IO.Compression;
using System.Text.Json;
using KvPareto.Tasks.LongBench;
using KvPareto.Tasks.Metrics.Chinese;
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
        Assert.Equal(706, CheckRows(stream, segmenter: null)); // the other 80 are those below
    }

    [Fact]
    public void ChineseEdgeCases_ScoreAsLongBench()
    {
        var segmenter = ChineseSegmenter.Open(TestData.SharedOrSkip("data", "jieba"));
        using var stream = File.OpenRead(TestData.Golden("longbench-metrics-edge.jsonl"));
        Assert.Equal(786, CheckRows(stream, segmenter));
    }

    [Fact]
    public void RealPredictions_ScoreAsLongBench()
    {
        var segmenter = ChineseSegmenter.Open(TestData.SharedOrSkip("data", "jieba"));
        using var file = File.OpenRead(TestData.SharedOrSkip("data", "longbench-metrics", "rows.jsonl.gz"));
        using var stream = new GZipStream(file, CompressionMode.Decompress);
        Assert.Equal(4750, CheckRows(stream, segmenter));
    }

    [Fact]
    public void RealPredictions_TotalAsLongBench()
    {
        var rows = TestData.SharedOrSkip("data", "longbench-metrics", "rows.jsonl.gz");
        using var official = JsonDocument.Parse(File.ReadAllText(TestData.SharedOrSkip("data", "longbench-metrics", "totals.json")));
        var totals = new TaskTotals();
        foreach (var scored in PredictionScorer.ScoreFile(rows, TestData.SharedOrSkip("data", "jieba"))) totals.Add(scored);
        Assert.Equal(
            LongBenchDataset.All.Select(dataset => dataset.Name).Order(StringComparer.Ordinal), totals.Totals.Select(total => total.Task));
        Assert.All(
            totals.Totals,
            total => Assert.Equal(official.RootElement.GetProperty(total.Task).GetDouble(), total.RoundedPercent));
    }

    private static int CheckRows(Stream stream, ChineseSegmenter? segmenter)
    {
        using var reader = new StreamReader(stream);
        var count = 0;
        while (reader.ReadLine() is { } line)
        {
            using var document = JsonDocument.Parse(line);
            var row = document.RootElement;
            Assert.True(LongBenchDataset.TryFind(row.GetProperty("task").GetString()!, out var dataset, out _));
            if (dataset.NeedsSegmenter && segmenter is null) continue;
            var score = dataset.Score(
                row.GetProperty("prediction").GetString()!, Texts(row, "answers")!, Texts(row, "all_classes"), segmenter);
            Assert.True(Math.Abs(score - row.GetProperty("score").GetDouble()) <= ScoreTolerance, $"{score} for {line}");
            count++;
        }
        return count;
    }

    private static string[]? Texts(JsonElement row, string field) =>
        row.GetProperty(field) is { ValueKind: JsonValueKind.Array } list ? [.. list.EnumerateArray().Select(item => item.GetString()!)]
            : null;
}
