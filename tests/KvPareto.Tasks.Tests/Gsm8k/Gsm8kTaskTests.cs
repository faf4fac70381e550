using KvPareto.Tasks.Gsm8k;
using KvPareto.Testing;
using KvPareto.Text.Input;

namespace KvPareto.Tasks.Tests.Gsm8k;

public class Gsm8kTaskTests
{
    private const string Test = """
        {"question": "Two and two?", "answer": "2 + 2 = <<2+2=4>>4\n#### 4"}

        {"question": " A thousand times 1.5? ", "answer": "#### 1,500", "extra": null}
        """;

    private const string Train = """
        {"question": "One and one?", "answer": "It is 2.\n#### 2"}
        {"question": "One and two?", "answer": "#### 3"}
        not a row
        """;

    private const string CotShots = """{"question": "One and one?", "answer": "1 + 1 = 2. The answer is 2."}""";

    [Fact]
    public void Prompt_IsTheHarnesss_WithTheFirstExamples()
    {
        Assert.Equal(
            "Question: One and one?\nAnswer: It is 2.\n#### 2\n\nQuestion: One and two?\nAnswer: #### 3\n\nQuestion: Two and two?\nAnswer:",
            Prompts(options => options with { Shots = 2 })[0]);
        Assert.Equal(
            ["Question: Two and two?\nAnswer:", "Question:  A thousand times 1.5? \nAnswer:"],
            Prompts(options => options with { Shots = 0, ShotsFile = null }));
        Assert.Equal(
            "Q: One and one?\nA: 1 + 1 = 2. The answer is 2.\n\nQ: Two and two?\nA:",
            Prompts(options => options with { Shots = 1, Format = Gsm8kFormat.Cot })[0]);
        Assert.Equal(
            "[user] Question: Two and two?\nAnswer: [reply] ",
            Prompts(options => options with { Shots = 0, Chat = true })[0]);
    }

    [Fact]
    public void Samples_StopAtTheNextQuestion_AndScoreTheAnswer()
    {
        using var folder = new ScratchFolder();
        var hash = new Gsm8kTask(Options(folder) with { Shots = 1 });
        var samples = hash.Prepare(ByteTokenizer.Context(folder, 4000));
        Assert.Equal(["0", "1"], samples.Select(sample => sample.Id));
        Assert.All(samples, sample => Assert.Equal(256, sample.MaxNewTokens));
        Assert.Equal(["Question:", "</s>", "<|im_end|>"], samples[0].StopTexts);
        Assert.Equal((1, 1), Scores(hash, samples[1], "so\n#### 1500."));
        Assert.Equal((0, 1), Scores(hash, samples[1], "it is 1,500"));
        Assert.Equal((1, 0), Scores(hash, samples[0], "#### 4\n\nand then 5"));
        Assert.Equal((0, 0), Scores(hash, samples[0], "The answer is five"));

        var cot = new Gsm8kTask(Options(folder) with { Shots = 0, Format = Gsm8kFormat.Cot });
        var sampled = cot.Prepare(ByteTokenizer.Context(folder, 4000))[0];
        Assert.Equal(("gsm8k", "gsm8k-cot", "Q:"), (hash.Name, cot.Name, sampled.StopTexts[0]));
        Assert.Equal((1, 1), Scores(cot, sampled, " So it is. The answer is 4."));
        Assert.Equal((0, 1), Scores(cot, sampled, "#### 4"));

        static (double, double) Scores(Gsm8kTask task, TaskSample sample, string prediction) =>
            (task.Score(sample, prediction), task.Parts(sample, prediction)["flexible"]);
    }

    // What lm-evaluation-harness's doc_to_target and exact_match give; of gsm8k the white space stays.
    [Theory]
    [InlineData("5 #### 18 \n", 0, 1)]
    [InlineData("5\n####18", 0, 1)]
    [InlineData("#### 1,000 #### $18.", 1, 1)]
    public void Solutions_OfCotAreStripped(string solution, double hash, double cot)
    {
        double Score(Gsm8kFormat format) => Gsm8kTask.Score("18", [solution], format);
        Assert.Equal((hash, cot), (Score(Gsm8kFormat.Hash), Score(Gsm8kFormat.Cot)));
    }

    [Fact]
    public void Limit_TakesTheFirstRows()
    {
        using var folder = new ScratchFolder();
        var task = new Gsm8kTask(Options(folder) with { Shots = 2, Limit = 1, MaxNewTokens = 9 });
        Assert.Equal(9, Assert.Single(task.Prepare(ByteTokenizer.Context(folder, 4000))).MaxNewTokens);
    }

    [Fact]
    public void Digest_FollowsWhatScoresDependOn()
    {
        using var folder = new ScratchFolder();
        var options = Options(folder) with { Shots = 1 };
        var digests = new[]
        {
            options, options with { Shots = 2 }, options with { Limit = 1 }, options with { MaxNewTokens = 9 },
                options with { Chat = true },
            options with { Format = Gsm8kFormat.Cot, Shots = 0 }, options with { Shots = 0 },
            options with { ShotsFile = folder.Write("other.jsonl", Train.Replace("One", "Uno", StringComparison.Ordinal)) },
        }.Select(each => new Gsm8kTask(each).Digest);
        Assert.Equal(8, digests.Distinct().Count());
        var copy = options with { File = folder.Write("copy.jsonl", Test.Replace(": ", ":", StringComparison.Ordinal)) };
        Assert.Equal(new Gsm8kTask(options).Digest, new Gsm8kTask(copy).Digest);
    }

    [Theory]
    [InlineData("""{"answer": "#### 1"}""", "field 'question' is missing")]
    [InlineData("""{"question": "q", "answer": 4}""", "field 'answer' must be a string")]
    [InlineData("""{"question": "q", "answer": "4"}""", "field 'answer' has no answer; allowed: a solution with '#### ' and a number")]
    [InlineData("""{"question": "\ud800", "answer": "#### 4"}""", "'question' has half of a surrogate pair")]
    [InlineData("""{"question": "q", "ans""", "not valid JSON")]
    [InlineData("[]", "must be one JSON object")]
    public void DamagedRow_IsNamedByFileLineAndField(string row, string expected)
    {
        using var folder = new ScratchFolder();
        var options = Options(folder) with { Shots = 2 };
        var file = folder.Write("damaged.jsonl", $"{Test}\n{row}");
        Refuses(options with { File = file }, $"{file}:4: ", expected);
        Refuses(options with { ShotsFile = file, Shots = 3 }, $"{file}:4: ", expected);
    }

    [Fact]
    public void Files_MustHaveRowsAndExamples()
    {
        using var folder = new ScratchFolder();
        var options = Options(folder) with { Shots = 1 };
        var empty = folder.Write("empty.jsonl", "\n");
        Refuses(options with { File = empty }, empty, "has no rows");
        Refuses(options with { ShotsFile = options.File, Shots = 3 }, options.File, "has 2 rows; allowed: at least the task's 3 shots");
        Refuses(options with { File = Path.Combine(folder.Root, "none.jsonl") }, folder.Root, "no such file");
        var cot = options with { Format = Gsm8kFormat.Cot, ShotsFile = options.File };
        Refuses(cot, $"{options.File}:1: ", "a solution with 'The answer is ' and a number");
    }

    [Fact]
    public void Options_AreCheckedByKey()
    {
        var fine = new Gsm8kOptions { File = "f", ShotsFile = "s" };
        fine.Validate();
        Assert.Equal((5, 8), (fine.ShotCount, (fine with { Format = Gsm8kFormat.Cot }).ShotCount));
        (fine with { ShotsFile = null, Shots = 0 }).Validate();
        Refuses(fine with { File = " " }, "task gsm8k: key 'file'", "");
        Refuses(fine with { ShotsFile = null }, "task gsm8k: key 'shots_file' is missing for 5 shots", "or shots: 0");
        Refuses(fine with { Shots = -1 }, "task gsm8k: key 'shots' is -1", "0 to 64");
        Refuses(fine with { Shots = 65 }, "task gsm8k: key 'shots' is 65", "0 to 64");
        Refuses(fine with { Limit = 0 }, "task gsm8k: key 'limit' is 0", "1 or more");
        Refuses(fine with { MaxNewTokens = 0 }, "task gsm8k: key 'max_new_tokens' is 0", "1 or more");
    }

    [Fact]
    public void RealData_IsRead()
    {
        var options = new Gsm8kOptions
        {
            File = TestData.SharedOrSkip("data", "gsm8k", "test.jsonl"),
            ShotsFile = TestData.SharedOrSkip("data", "gsm8k", "train.jsonl"),
        };
        using var folder = new ScratchFolder();
        var context = ByteTokenizer.Context(folder, 100_000);
        var samples = new Gsm8kTask(options).Prepare(context);
        Assert.Equal(1319, samples.Count);
        Assert.Equal(6, context.Tokenizer.Decode(samples[^1].PromptIds).Split("Question: ").Length - 1);
        var (first, task) = (samples[0].Answers[0], new Gsm8kTask(options));
        Assert.Equal(1, task.Score(samples[0], first));
    }

    [Fact]
    public void Chat_NeedsATemplate()
    {
        using var folder = new ScratchFolder();
        var context = ByteTokenizer.Context(folder, 4000, chat: false);
        var error = Assert.Throws<ConfigException>(() => new Gsm8kTask(Options(folder) with { Chat = true, Shots = 1 }).Prepare(context));
        Assert.Equal("task gsm8k: key 'chat' is true, but the model has no chat template; allowed: false", error.Message);
    }

    private static Gsm8kOptions Options(ScratchFolder folder) => new()
    {
        File = folder.Write("test.jsonl", Test),
        ShotsFile = folder.Write("train.jsonl", Train),
    };

    private static string[] Prompts(Func<Gsm8kOptions, Gsm8kOptions> change)
    {
        using var folder = new ScratchFolder();
        var options = change(Options(folder));
        if (options.Format == Gsm8kFormat.Cot) options = options with { ShotsFile = folder.Write("cot.jsonl", CotShots) };
        var context = ByteTokenizer.Context(folder, 4000, chat: options.Chat);
        return [.. new Gsm8kTask(options).Prepare(context).Select(sample => context.Tokenizer.Decode(sample.PromptIds))];
    }

    private static void Refuses(Gsm8kOptions options, string start, string expected)
    {
        var error = Assert.Throws<ConfigException>(() => new Gsm8kTask(options));
        Assert.StartsWith(start, error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }
}
