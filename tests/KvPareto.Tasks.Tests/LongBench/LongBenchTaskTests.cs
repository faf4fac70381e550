using KvPareto.Tasks.LongBench;
using KvPareto.Tasks.Tests.Metrics.Chinese;
using KvPareto.Testing;
using KvPareto.Text.Input;

namespace KvPareto.Tasks.Tests.LongBench;

public class LongBenchTaskTests
{
    private const string Row =
        """{"input": "Who?", "context": "Ada wrote it.", "answers": ["Ada"], "length": 3, "dataset": "hotpotqa", "language":""" +
        """ "en", "all_classes": null, "_id": "r1"}""";

    [Fact]
    public void Rows_GiveSamplesAndScores()
    {
        using var folder = new ScratchFolder();
        var trec = """{"input": "Type:", "context": "x", "answers": ["Food"], "dataset": "trec", "all_classes": ["Food", "Date"], "_id": "r2"}""";
        var samsum = """{"input": "Summary:", "context": "x", "answers": ["A b."], "dataset": "samsum", "all_classes": null, "_id": "r3"}""";
        var task = new LongBenchTask(new LongBenchOptions { File = folder.Write("rows.jsonl", $"\uFEFF{Row}\r\n\n{trec}\n{samsum}") });
        var samples = task.Prepare(ByteTokenizer.Context(folder, 4000, chat: true));

        Assert.Equal("longbench", task.Name);
        Assert.Equal(["r1", "r2", "r3"], samples.Select(sample => sample.Id));
        Assert.Equal([32, 64, 128], samples.Select(sample => sample.MaxNewTokens));
        Assert.Equal([false, true, true], samples.Select(sample => sample.PromptIds[0] == ByteTokenizer.Bos));
        Assert.Equal([[], [], [(int)'\n']], samples.Select(sample => sample.StopIds));
        Assert.Equal(2.0 / 3, task.Score(samples[0], "Ada.\nFood"), 12);
        Assert.Equal(0.5, task.Score(samples[1], "Food Date\nx"));
        Assert.Equal(0, task.Score(samples[2], "\nx\na b"));
        Assert.Throws<ArgumentException>(() => task.Score(samples[0] with { Id = "other" }, ""));
    }

    [Fact]
    public void Limit_TakesTheFirstRowsAndReadsNoFurther()
    {
        using var folder = new ScratchFolder();
        var file = folder.Write("rows.jsonl", $"{Row}\nnot json");
        var task = new LongBenchTask(new LongBenchOptions { File = file, Limit = 1, MaxNewTokens = 5 });
        Assert.Equal("hotpotqa", task.Name);
        Assert.Equal(5, Assert.Single(task.Prepare(ByteTokenizer.Context(folder, 4000))).MaxNewTokens);
    }

    [Fact]
    public void Digest_FollowsWhatScoresDependOn()
    {
        using var folder = new ScratchFolder();
        var file = folder.Write("rows.jsonl", Row);
        var digest = Digest(new LongBenchOptions { File = file });
        var copy = folder.Write("copy.jsonl", Row.Replace(": ", ":", StringComparison.Ordinal) + "\n");
        Assert.Equal(digest, Digest(new LongBenchOptions { File = copy }));
        var other = folder.Write("other.jsonl", Row.Replace("Ada wrote", "Bob wrote", StringComparison.Ordinal));
        Assert.NotEqual(digest, Digest(new LongBenchOptions { File = other }));
        Assert.NotEqual(digest, Digest(new LongBenchOptions { File = file, MaxLength = 100 }));
        Assert.NotEqual(digest, Digest(new LongBenchOptions { File = file, MaxNewTokens = 31 }));

        static string Digest(LongBenchOptions options) => new LongBenchTask(options).Digest;
    }

    [Fact]
    public void ChineseRows_AreScoredOnTheWordsOfTheFolder()
    {
        using var folder = new ScratchFolder();
        var jieba = TinyJieba.Write(folder);
        var row = """{"input": "谁？", "context": "x", "answers": ["北京大学学生"], "dataset": "multifieldqa_zh", "all_classes": null, "_id": "r1"}""";
        var file = folder.Write("rows.jsonl", row);
        var task = new LongBenchTask(new LongBenchOptions { File = file, Jieba = jieba });
        var sample = Assert.Single(task.Prepare(ByteTokenizer.Context(folder, 4000)));
        Assert.Equal(0.8, task.Score(sample, "北京大学的学生"), 12);

        using var other = new ScratchFolder();
        TinyJieba.Write(other, TinyJieba.Dictionary + "的学生 30\n");
        var changed = new LongBenchTask(new LongBenchOptions { File = file, Jieba = other.Root });
        Assert.Equal(0.5, changed.Score(sample, "北京大学的学生"), 12);
        Assert.NotEqual(task.Digest, changed.Digest);
    }

    [Fact]
    public void JiebasData_AreReadAndCountedOnlyWhereARowNeedsThem()
    {
        using var folder = new ScratchFolder();
        var file = folder.Write("rows.jsonl", Row);
        Assert.Equal(
            new LongBenchTask(new LongBenchOptions { File = file }).Digest,
            new LongBenchTask(new LongBenchOptions { File = file, Jieba = folder.Root }).Digest);
        var chinese = folder.Write("chinese.jsonl", Row.Replace("hotpotqa", "dureader", StringComparison.Ordinal));
        var error = Assert.Throws<ConfigException>(() => new LongBenchTask(new LongBenchOptions { File = chinese, Jieba = folder.Root }));
        Assert.StartsWith(Path.Combine(folder.Root, "dict.txt: no such file"), error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"input": "Who?", "context": "c", "answers": ["a"], "dataset": "hotpotqa"}""", "'_id' is missing")]
    [InlineData("""{"input": 3, "context": "c", "answers": ["a"], "dataset": "hotpotqa", "_id": "r"}""", "'input' must be a string")]
    [InlineData("""{"input": "", "context": null, "answers": ["a"], "dataset": "hotpotqa", "_id": "r"}""", "'context' must be a string")]
    [InlineData("""{"input": "", "context": "", "answers": "a", "dataset": "hotpotqa", "_id": "r"}""", "'answers' must be a list of strings")]
    [InlineData("""{"input": "", "context": "", "answers": [["a"]], "dataset": "hotpotqa", "_id": "r"}""", "'answers' must be a list of strings")]
    [InlineData("""{"input": "", "context": "", "answers": ["a"], "dataset": "vcsum", "_id": "r"}""", "'dataset' is 'vcsum', which is scored on the words that jieba makes; allowed: with the task's key 'jieba' naming a folder")]
    [InlineData("""{"input": "", "context": "", "answers": ["a"], "dataset": "trec", "all_classes": null, "_id": "r"}""", "'all_classes' must be a list")]
    [InlineData("""{"input": "", "context": "", "answers": ["12"], "dataset": "passage_retrieval_en", "_id": "r"}""", "'answers' must say 'Paragraph '")]
    [InlineData("""{"input": "", "context": "\ud800", "answers": ["a"], "dataset": "hotpotqa", "_id": "r"}""", "'context' has half of a surrogate pair")]
    [InlineData("""{"input": "", "context": "never clos""", "not valid JSON")]
    [InlineData("[1]", "must be one JSON object")]
    [InlineData(Row, "'_id' is the same as in line 1")]
    public void DamagedRow_IsNamedByFileLineAndField(string row, string expected)
    {
        using var folder = new ScratchFolder();
        var file = folder.Write("rows.jsonl", $"{Row}\n\n{row}\n");
        var error = Assert.Throws<ConfigException>(() => new LongBenchTask(new LongBenchOptions { File = file }));
        Assert.StartsWith($"{file}:3: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public void HostileFile_IsRefusedWithoutReadingItWhole()
    {
        using var folder = new ScratchFolder();
        Refuses(folder.Write("deep.jsonl", new string('[', 1_000_000)), "not valid JSON");
        Refuses(folder.Write("long.jsonl", $"{{\"context\": \"{new string('x', JsonLines.MaxLineBytes)}\"}}"),
            ":1: line longer than 16 MiB");
        Refuses(folder.Write("bytes.jsonl", [.. "{\"_id\": \""u8, 0xC3, 0x28, .. "\"}"u8]), "not valid UTF-8");
        Refuses(folder.Write("empty.jsonl", "\n \n"), "has no rows");
        Refuses(folder.Write("torn.jsonl.gz", [0x1F, 0x8B, 8, 0, 0, 0]), "");
        Refuses(Path.Combine(folder.Root, "missing.jsonl"), "no such file");
        Refuses(folder.Root, "is a folder; allowed: a file");

        static void Refuses(string file, string expected)
        {
            var error = Assert.Throws<ConfigException>(() => new LongBenchTask(new LongBenchOptions { File = file }));
            Assert.StartsWith(file, error.Message, StringComparison.Ordinal);
            Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Options_AreCheckedByKey()
    {
        Refuses(new LongBenchOptions { File = " " }, "'file'");
        Refuses(new LongBenchOptions { File = "f", Limit = 0 }, "'limit' is 0; allowed are whole numbers of at least 1");
        Refuses(new LongBenchOptions { File = "f", MaxLength = 1 }, "'max_length' is 1");
        Refuses(new LongBenchOptions { File = "f", MaxNewTokens = -1 }, "'max_new_tokens' is -1");

        static void Refuses(LongBenchOptions options, string expected) =>
            Assert.Contains(expected, Assert.Throws<ConfigException>(() => new LongBenchTask(options)).Message, StringComparison.Ordinal);
    }
}
