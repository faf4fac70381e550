using System.IO.Compression;
using System.Text;
using KvPareto.Tasks.Scoring;
using KvPareto.Tasks.Tests.Metrics.Chinese;
using KvPareto.Text.Input;

namespace KvPareto.Tasks.Tests.Scoring;

public class PredictionScorerTests
{
    private const string Rows = """
        {"task": "hotpotqa", "prediction": "Paris, France", "answers": ["Rome", "Paris"], "all_classes": null}

        {"task": "trec", "prediction": "Food Date", "answers": ["Food"], "all_classes": ["Food", "Date"], "extra": [{}]}
        {"task": "hotpotqa", "prediction": "Rome", "answers": ["Rome"]}
        {"task": "passage_retrieval_zh", "prediction": "段落3", "answers": ["段落3"]}
        {"task": "niah", "prediction": "a Sunny day.", "answers": ["eat a sandwich", "Dolores Park", "sunny day", "day"]}
        {"task": "gsm8k", "prediction": "#### 1,234 and 5", "answers": ["so #### 1234"]}
        {"task": "gsm8k-cot", "prediction": "The answer is 7. Or 8", "answers": ["#### 8", "#### 7"]}
        {"task": "gsm8k-flexible", "prediction": "#### 1,234 and 5", "answers": ["so #### 1234"]}
        {"task": "mmlu", "prediction": "[-2, -0.5, -1.25e1, -3]", "answers": ["B"]}
        """;

    [Theory]
    [InlineData("rows.jsonl")]
    [InlineData("rows.jsonl.gz")]
    public void ScoreFile_GivesEachRowAndTheMeans(string name)
    {
        using var folder = new TemporaryFolder();
        var scored = PredictionScorer.ScoreFile(Write(folder, name, Rows)).ToList();
        ScoredPrediction[] others = [new(3, "trec", 0.5), new(4, "hotpotqa", 1), new(5, "passage_retrieval_zh", 1), new(6, "niah", 0.5),
            new(7, "gsm8k", 1), new(8, "gsm8k-cot", 1), new(9, "gsm8k-flexible", 0), new(10, "mmlu", 1)];
        Assert.Equal([new(1, "hotpotqa", scored[0].Score), .. others], scored);
        Assert.Equal(2.0 / 3, scored[0].Score, 12);

        var totals = new TaskTotals();
        scored.ForEach(totals.Add);
        Assert.Equal(
            [("gsm8k", 1, 100), ("gsm8k-cot", 1, 100), ("gsm8k-flexible", 1, 0), ("hotpotqa", 2, 83.33), ("mmlu", 1, 100), ("niah", 1, 50), ("passage_retrieval_zh", 1, 100), ("trec", 1, 50)],
            totals.Totals.Select(total => (total.Task, total.Rows, total.RoundedPercent)));
        Assert.Equal(250.0 / 3, totals.Totals[3].Percent, 12);
    }

    [Theory]
    [InlineData("""{"prediction": "", "answers": []}""", "'task' is missing")]
    [InlineData("""{"task": "nope", "prediction": "", "answers": []}""", "'task' is 'nope'")]
    [InlineData("""{"task": "dureader", "prediction": "", "answers": []}""", "'task' is 'dureader', which is scored on the words that jieba makes; allowed: with --jieba naming a folder")]
    [InlineData("""{"task": "gsm9k", "prediction": "", "answers": []}""", "lcc, repobench-p, niah, gsm8k, gsm8k-cot, gsm8k-flexible, mmlu")]
    [InlineData("""{"task": "mmlu", "prediction": "B", "answers": ["B"]}""", "'prediction' is no list of four log likelihoods")]
    [InlineData("""{"task": "gsm8k", "prediction": ""}""", "'answers' is missing")]
    [InlineData("""{"task": "lcc", "prediction": null, "answers": []}""", "'prediction' must be a string")]
    [InlineData("""{"task": "lcc", "prediction": ""}""", "'answers' is missing")]
    [InlineData("""{"task": "lsht", "prediction": "", "answers": ["a"], "all_classes": {}}""", "'all_classes' must be a list")]
    [InlineData("""{"task": "lcc", "prediction": """, "not valid JSON")]
    public void DamagedRow_IsNamedAfterTheRowsBeforeIt(string row, string expected)
    {
        using var folder = new TemporaryFolder();
        var file = folder.Write("rows.jsonl", $"{Rows}\n{row}");
        using var scored = PredictionScorer.ScoreFile(file).GetEnumerator();
        for (var i = 0; i < 9; i++) Assert.True(scored.MoveNext());
        var error = Assert.Throws<ConfigException>(() => scored.MoveNext());
        Assert.StartsWith($"{file}:11: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ChineseRows_NeedJiebasFolder()
    {
        using var folder = new TemporaryFolder();
        var file = folder.Write("rows.jsonl", """
            {"task": "multifieldqa_zh", "prediction": "北京大学的学生", "answers": ["北京大学学生"]}
            {"task": "vcsum", "prediction": "北京大学的学生", "answers": ["北京大学学生"]}
            """);
        var scored = PredictionScorer.ScoreFile(file, TinyJieba.Write(folder)).ToList();
        Assert.Equal(0.8, scored[0].Score, 12);
        Assert.Equal(0.8, scored[1].Score, 1e-8);
        Assert.Throws<ConfigException>(() => PredictionScorer.ScoreFile(file).ToList());
    }

    [Theory]
    [InlineData(0.125, 0.12)]
    [InlineData(0.375, 0.38)]
    [InlineData(2.675, 2.67)] // just under the tie
    [InlineData(1.005, 1)]
    [InlineData(83.32500000000001, 83.33)]
    [InlineData(100, 100)]
    public void RoundedPercent_IsPythonsRound(double percent, double expected) =>
        Assert.Equal(expected, new TaskTotal("t", 1, percent).RoundedPercent);

    private static string Write(TemporaryFolder folder, string name, string text)
    {
        using var bytes = new MemoryStream();
        using (Stream packed = name.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(bytes, CompressionLevel.Fastest) : bytes)
            packed.Write(Encoding.UTF8.GetBytes(text));
        return folder.Write(name, bytes.ToArray());
    }
}
