using System.IO.Compression;
using System.Text;
using KvPareto.Tasks.Scoring;
using KvPareto.Tasks.Tests.Metrics.Chinese;
using KvPareto.Testing;
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
        {"task": "mmlu", "prediction": [-2, -0.5, -1.25e1, -3], "answers": ["B"]}
        """;

    [Theory]
    [InlineData("rows.jsonl")]
    [InlineData("rows.jsonl.gz")]
    public void ScoreFile_GivesEachRowAndTheMeans(string name)
    {
        using var folder = new ScratchFolder();
        var scored = PredictionScorer.ScoreFile(Write(folder, name, Rows)).ToList();
        ScoredPrediction[] others = [new(3, "trec", 0.5), new(4, "hotpotqa", 1), new(5, "passage_retrieval_zh", 1), new(6, "niah", 0.5),
            new(7, "gsm8k", 1), new(8, "gsm8k-cot", 1), new(9, "gsm8k-flexible", 0), new(10, "mmlu", 1),
            new(11, "mmlu", 1)];
        Assert.Equal([new(1, "hotpotqa", scored[0].Score), .. others], scored);
        Assert.Equal(2.0 / 3, scored[0].Score, 12);

        var totals = new TaskTotals();
        scored.ForEach(totals.Add);
        Assert.Equal(
            [("gsm8k", 1, 100), ("gsm8k-cot", 1, 100), ("gsm8k-flexible", 1, 0), ("hotpotqa", 2, 83.33), ("mmlu", 2, 100), ("niah", 1, 50),
                ("passage_retrieval_zh", 1, 100), ("trec", 1, 50)],
            totals.Totals.Select(total => (total.Task, total.Rows, total.RoundedPercent)));
        Assert.Equal(250.0 / 3, totals.Totals[3].Percent, 12);
    }

    [Theory]
    [InlineData("narrativeqa.jsonl", null)]
    [InlineData("narrativeqa_e.jsonl.gz", null)]
    [InlineData("mine.jsonl", "narrativeqa")]
    public void LongBenchsOwnRows_TakeTheTaskFromTheFilesName(string name, string? task)
    {
        using var folder = new ScratchFolder();
        var file = Write(folder, name, """{"pred":"the cat","answers":["cat"],"all_classes":null,"length":12}""");
        var scored = Assert.Single(PredictionScorer.ScoreFile(file, task: task));
        Assert.Equal(new(1, name.StartsWith("narrativeqa_e", StringComparison.Ordinal) ? "narrativeqa_e" : "narrativeqa", 1), scored);
    }

    [Fact]
    public void StandardInput_HasNoName()
    {
        const string row = """{"pred":"the cat","answers":["cat"],"all_classes":null,"length":12}""";
        Assert.Equal(new(1, "qasper", 1), Assert.Single(PredictionScorer.ScoreStream(Stream(row), task: "qasper")));
        var error = Assert.Throws<ConfigException>(() => PredictionScorer.ScoreStream(Stream(row)).ToList());
        Assert.StartsWith(
            "standard input:1: field 'task' is missing, and standard input has no name to take it from; allowed: --task NAME",
                error.Message, StringComparison.Ordinal);

        static MemoryStream Stream(string text) => new(Encoding.UTF8.GetBytes(text));
    }

    [Fact]
    public void Likelihoods_MayBeAList()
    {
        using var folder = new ScratchFolder();
        var file = folder.Write("rows.jsonl", """
            {"task": "mmlu", "prediction": [-2, -0.5, -0.5, -3], "answers": ["B"]}
            {"task": "mmlu", "prediction": [-2, -0.5, -0.5, -3], "answers": ["C"]}
            """);
        Assert.Equal([1.0, 0.0], PredictionScorer.ScoreFile(file).Select(scored => scored.Score)); // of equals the first
    }

    /// <summary>Rows as lm-evaluation-harness 0.4 writes them: all in texts, a choice's pair in filtered_resps.</summary>
    [Theory]
    [InlineData("samples_gsm8k_2024-06-11T21-07-11.123456.jsonl", "gsm8k", 1,
        """{"doc_id":0,"doc":{"question":"q","answer":"so #### 18"},"target":"so #### 18","arguments":{"gen_args_0":{"arg_0":"p"}},"resps":[["It is\n#### 18\n9"]],"filtered_resps":["18"],"filter":"strict-match","exact_match":1.0}""")]
    [InlineData("samples_gsm8k_2024-06-11T21-07-11.123456.jsonl", "gsm8k-flexible", 0,
        """{"doc_id":0,"doc":{"question":"q","answer":"so #### 18"},"target":"so #### 18","resps":[["It is\n#### 18\n9"]],"filtered_resps":["9"],"filter":"flexible-extract","exact_match":0.0}""")]
    [InlineData("samples_gsm8k_cot_2025-01-02T03-04-05.jsonl", "gsm8k-cot", 1,
        """{"doc_id":0,"doc":{"question":"q","answer":"#### 18"},"target":"18","resps":[["The answer is 18."]],"filtered_resps":["18"],"filter":"strict-match"}""")]
    [InlineData("samples_gsm8k_cot_2025-01-02T03-04-05.jsonl", "gsm8k-flexible", 1,
        """{"doc_id":0,"doc":{"question":"q","answer":"#### 18 \n"},"target":"18","resps":[["It is 18."]],"filtered_resps":["18."],"filter":"flexible-extract"}""")]
    [InlineData("samples_mmlu_world_religions_2024-06-11T21-07-11.123456.jsonl", "mmlu", 1,
        """{"doc_id":0,"doc":{"question":"q","choices":["a","b","c","d"],"answer":2},"target":"2","resps":[[["-3.0","False"]],[["-2.5","False"]],[["-0.5","True"]],[["-inf","False"]]],"filtered_resps":[["-3.0","False"],["-2.5","False"],["-0.5","True"],["-inf","False"]],"filter":"none","acc":1.0}""")]
    [InlineData("samples_mmlu_world_religions_2023.jsonl", "mmlu", 0,
        """{"doc_id":0,"doc":{"answer":1},"target":1,"resps":[[[-3.0,false]],[[-2.5,false]],[[-0.5,true]],[[-9,false]]]}""")]
    [InlineData("samples_longbench_trec_2025-06-11T21-07-11.123456.jsonl", "trec", 0.5,
        """{"doc_id":0,"doc":{"answers":["Food"],"all_classes":["Food","Date"]},"target":"['Food']","resps":[["Food or Date"]],"filtered_resps":["Food or Date"],"filter":"none","score":0.5}""")]
    [InlineData("samples_niah_multivalue_2025-06-11T21-07-11.123456.jsonl", "niah_multivalue", 0.5,
        """{"doc_id":0,"doc":{"input":"i","outputs":["12","34"],"max_length":4096},"target":"12","resps":[[" 12 and 43"]],"filtered_resps":[" 12 and 43"],"filter":"none","4096":0.5}""")]
    [InlineData("samples_ruler_vt_2025-06-11T21-07-11.123456.jsonl", "ruler_vt", 0.75,
        """{"doc_id":0,"doc":{"input":"i","outputs":["A","B","C","D"],"max_length":4096},"target":"A","resps":[[" b c d"]],"filtered_resps":[" b c d"],"filter":"none","4096":0.75}""")]
    public void HarnessRows_AreScoredAsTheyAre(string name, string task, double score, string row)
    {
        using var folder = new ScratchFolder();
        Assert.Equal(new(1, task, score), Assert.Single(PredictionScorer.ScoreFile(folder.Write(name, row))));
    }

    /// <summary>As RULER's own program writes them.</summary>
    [Fact]
    public void RulersPredictions_AreScoredAsTheyAre()
    {
        using var folder = new ScratchFolder();
        const string Rows = """
            {"index": 0, "pred": " 1234567, and 7654321.", "input": "…", "outputs": ["1234567", "2222222", "7654321", "3333333"], "length": 3181}
            """;
        foreach (var name in new[] { "niah_multivalue", "vt", "cwe" })
            Assert.Equal([new(1, name, 0.5)], PredictionScorer.ScoreFile(folder.Write($"{name}.jsonl", Rows)));
        foreach (var name in new[] { "qa_1", "qa_2" }) // string_match_part
            Assert.Equal([new(1, name, 1)], PredictionScorer.ScoreFile(folder.Write($"{name}.jsonl", Rows)));
    }

    [Fact]
    public void RunSamples_KeepTheirScores()
    {
        using var folder = new ScratchFolder();
        Directory.CreateDirectory(Path.Combine(folder.Root, "run", "samples"));
        folder.Write("run/samples/a.jsonl", """{"task":"gsm8k","sample":"0","prediction":" 18","score":1,"parts":{"flexible":0.5},"promptTokens":3}""");
        var file = Assert.Single(PredictionScorer.Files(Path.Combine(folder.Root, "run")));
        Assert.Equal([new(1, "gsm8k", 1), new(1, "gsm8k/flexible", 0.5)], PredictionScorer.ScoreFile(file));
    }

    [Theory]
    [InlineData("empty.jsonl", "", "has no rows; allowed: ")]
    [InlineData("blank.jsonl", "\n \n", "has no rows; allowed: ")]
    [InlineData("mine.jsonl", """{"pred":"a","answers":["a"]}""", "'(the file's name)' is 'mine', of which no predictions are scored; allowed: ")]
    [InlineData("samples_arc_easy_2024-06-11T21-07-11.jsonl", """{"doc":{},"target":"1","resps":[["a"]]}""", "is 'arc_easy', of which no predictions are scored")]
    [InlineData("samples_mmlu_x_2024-06-11T21-07-11.jsonl", """{"doc":{},"target":"5","resps":[[["-1","True"]]]}""", "'target' is no choice; allowed: 0 to 3, or A to D")]
    [InlineData("samples_mmlu_x_2024-06-11T21-07-11.jsonl", """{"doc":{},"target":"A","resps":[[["-1","True"]]]}""", "'filtered_resps' is no list of four log likelihoods")]
    [InlineData("samples_gsm8k_2024-06-11T21-07-11.jsonl", """{"doc":[],"target":"1","resps":[["a"]]}""", "'doc' must be an object")]
    [InlineData("samples_gsm8k_2024-06-11T21-07-11.jsonl", """{"target":"1","resps":[]}""", "'resps' must be a list of texts")]
    [InlineData("samples_gsm8k_2024-06-11T21-07-11.jsonl", """{"target":"1","resps":[["\ud800"]]}""", "'resps' must be a list of texts")]
    [InlineData("run.jsonl", """{"task":"a","sample":"0","score":2}""", "'score' must be a number from 0 to 1")]
    [InlineData("run.jsonl", """{"task":"a","sample":"0","score":1,"parts":{"\ud800":1}}""", "half of a surrogate pair")]
    public void OtherForms_AreRefusedByName(string name, string rows, string expected)
    {
        using var folder = new ScratchFolder();
        var error = Assert.Throws<ConfigException>(() => PredictionScorer.ScoreFile(folder.Write(name, rows)).ToList());
        Assert.Contains(name, error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TextsThatAreTooLong_AreRefusedByName()
    {
        using var folder = new ScratchFolder();
        var phrases = string.Join(',', Enumerable.Range(0, 20_000).Select(i => $"\"p{i}\""));
        var file = folder.Write("rows.jsonl", $$"""{"task": "niah", "prediction": "{{new string('a', 100_000)}}", "answers": [{{phrases}}]}""");
        var error = Assert.Throws<ConfigException>(() => PredictionScorer.ScoreFile(file).ToList());
        Assert.Contains(
            "rows.jsonl:1: field 'prediction' cannot be scored: prediction and answers are too long", error.Message,
                StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"prediction": "", "answers": []}""", "'task' is missing")]
    [InlineData("""{"task": "nope", "prediction": "", "answers": []}""", "'task' is 'nope'")]
    [InlineData("""{"task": "dureader", "prediction": "", "answers": []}""", "'task' is 'dureader', which is scored on the words that jieba makes; allowed: with --jieba naming a folder")]
    [InlineData("""{"task": "gsm9k", "prediction": "", "answers": []}""", "lcc, repobench-p, niah, niah_single_1, niah_single_2, niah_single_3, niah_multikey_1, niah_multikey_2, niah_multikey_3, niah_multivalue, niah_multiquery, vt, cwe, fwe, qa_1, qa_2, gsm8k, gsm8k-cot, gsm8k-flexible, mmlu")]
    [InlineData("""{"task": "mmlu", "prediction": "B", "answers": ["B"]}""", "'prediction' is no list of four log likelihoods")]
    [InlineData("""{"task": "mmlu", "prediction": [-1, null, -2, -3], "answers": ["B"]}""", "'prediction' is no list of four log likelihoods; allowed: [-1.5, -0.5, -2.25, -3]")]
    [InlineData("""{"task": "hotpotqa", "prediction": ["a"], "answers": ["a"]}""", "'prediction' must be a string")]
    [InlineData("""{"task": "gsm8k", "prediction": ""}""", "'answers' is missing")]
    [InlineData("""{"task": "lcc", "prediction": null, "answers": []}""", "'prediction' must be a string")]
    [InlineData("""{"task": "lcc", "prediction": ""}""", "'answers' is missing")]
    [InlineData("""{"task": "lsht", "prediction": "", "answers": ["a"], "all_classes": {}}""", "'all_classes' must be a list")]
    [InlineData("""{"task": "lcc", "prediction": """, "not valid JSON")]
    public void DamagedRow_IsNamedAfterTheRowsBeforeIt(string row, string expected)
    {
        using var folder = new ScratchFolder();
        var file = folder.Write("rows.jsonl", $"{Rows}\n{row}");
        using var scored = PredictionScorer.ScoreFile(file).GetEnumerator();
        for (var i = 0; i < 10; i++) Assert.True(scored.MoveNext());
        var error = Assert.Throws<ConfigException>(() => scored.MoveNext());
        Assert.StartsWith($"{file}:12: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ChineseRows_NeedJiebasFolder()
    {
        using var folder = new ScratchFolder();
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

    private static string Write(ScratchFolder folder, string name, string text)
    {
        using var bytes = new MemoryStream();
        using (Stream packed = name.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(bytes, CompressionLevel.Fastest) : bytes)
            packed.Write(Encoding.UTF8.GetBytes(text));
        return folder.Write(name, bytes.ToArray());
    }
}
