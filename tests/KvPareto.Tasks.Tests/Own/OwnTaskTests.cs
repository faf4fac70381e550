using KvPareto.Tasks.Catalog;
using KvPareto.Tasks.Metrics;
using KvPareto.Tasks.Own;
using KvPareto.Testing;
using KvPareto.Text.Input;
using KvPareto.Text.Yaml;

namespace KvPareto.Tasks.Tests.Own;

public class OwnTaskTests
{
    private const string Plain = "prompt: \"Q: {{ q }} A:\", answers: a, metrics: qa_f1";

    /// <summary>L-Eval's form: several questions a row.</summary>
    [Fact]
    public void ShippedLEval_AsksEachQuestionOfARow()
    {
        using var folder = new ScratchFolder();
        folder.Write("rows.jsonl", """
            {"input": "The sky was red.", "instructions": ["Which colour?", "What was it?"], "outputs": ["Red", ["The sky", "sky"]], "source": "s"}
            {"input": "Two lines\nof text.", "instructions": ["How many?"], "outputs": [2]}
            """);
        var (task, samples, texts) = Prepare(folder, $"definition: {Shipped("leval")}, data: rows.jsonl");
        Assert.Equal("leval", task.Name);
        Assert.Equal(["1-0", "1-1", "2-0"], samples.Select(sample => sample.Id));
        Assert.Equal(["Red", "The sky|sky", "2"], samples.Select(sample => string.Join('|', sample.Answers)));
        Assert.EndsWith("Document is as follows. The sky was red.\nInstruction: What was it?", texts[1], StringComparison.Ordinal);
        Assert.Equal(1, Score(task, samples[1], "Sky"));
        Assert.Equal(
            [("contains_any", 1.0), ("exact_words", 0.0), ("rouge_l", 0.0)],
            Parts(task, samples[1], "It's the sky?").Select(part => (part.Key, Math.Round(part.Value, 1))).Order());
    }

    /// <summary>MuSiQue's form: paragraphs, and aliases of the answer.</summary>
    [Fact]
    public void ShippedMusique_ListsThePassages()
    {
        using var folder = new ScratchFolder();
        folder.Write("rows.jsonl", """
            {"id": "2hop__1", "paragraphs": [{"idx": 0, "title": "A", "paragraph_text": "Ann lives in Rome.", "is_supporting": true}, {"idx": 1, "title": "B", "paragraph_text": "Rome is old."}], "question": "Where?", "answer": "Rome", "answer_aliases": ["Roma", "the Eternal City"], "answerable": true}
            """);
        var (task, samples, texts) = Prepare(folder, $"definition: {Shipped("musique")}, data: rows.jsonl");
        Assert.Contains(
            "The following are given passages.\nPassage 1: A\nAnn lives in Rome.\nPassage 2: B\nRome is old.\n\nAnswer the", texts[0],
                StringComparison.Ordinal);
        Assert.EndsWith("Question: Where?Answer:", texts[0], StringComparison.Ordinal);
        var sample = Assert.Single(samples);
        Assert.Equal(("2hop__1", 32), (sample.Id, sample.MaxNewTokens));
        Assert.Equal(["\n"], sample.StopTexts);
        Assert.Equal(["Rome", "Roma", "the Eternal City"], sample.Answers);
        Assert.Equal(1, Score(task, sample, "Eternal city."));
        Assert.Equal(2.0 / 3, Score(task, sample, "Rome Italy"), 9);
    }

    [Fact]
    public void ShippedRulerFile_SendsTheInputAsItIs()
    {
        using var folder = new ScratchFolder();
        Directory.CreateDirectory(Path.Combine(folder.Root, "rows"));
        folder.Write("rows/niah.jsonl", """{"index": 7, "input": "Some text.\n What is it? It is", "outputs": ["1234567", "7654321"], "length": 99}""");
        var (task, samples, texts) = Prepare(folder, $"definition: {Shipped("ruler-file")}, data: rows", chat: true);
        Assert.Equal(("7", "Some text.\n What is it? It is"), (samples[0].Id, texts[0]));
        Assert.Equal(0.5, Score(task, samples[0], " 7654321."));
    }

    /// <summary>Every shipped definition is read, and what it says of a metric exists.</summary>
    [Fact]
    public void ShippedDefinitions_AreAllRead()
    {
        using var folder = new ScratchFolder();
        folder.Write("rows.jsonl", "");
        string[] files = Directory.GetFiles(Path.Combine(TestData.RepositoryRoot, "configs", "tasks"));
        Assert.InRange(files.Length, 5, 20);
        foreach (var file in files) Assert.NotNull(Read(folder, $"definition: {file}, data: rows.jsonl"));
    }

    [Fact]
    public void FilesOfAFolder_AreReadInOrder_AndTheirRowsToldApart()
    {
        using var folder = new ScratchFolder();
        Directory.CreateDirectory(Path.Combine(folder.Root, "rows"));
        folder.Write("rows/b.jsonl", """{"q": "3", "a": 3}""");
        folder.Write("rows/a.jsonl", "{\"q\": \"1\", \"a\": \"one\"}\n\n{\"q\": \"2\", \"a\": [\"two\", 2]}");
        folder.Write("rows/notes.txt", "no rows");
        var (_, samples, texts) = Prepare(folder, $"data: rows, {Plain}");
        Assert.Equal(["a-1", "a-3", "b-1"], samples.Select(sample => sample.Id));
        Assert.Equal(["Q: 1 A:", "Q: 2 A:", "Q: 3 A:"], texts);
        Assert.Equal(["a-1", "a-3"], Prepare(folder, $"data: rows, limit: 2, {Plain}").Samples.Select(sample => sample.Id));
    }

    [Fact]
    public void Tables_AreRowsOfTexts_AndEmptyAnswersBesideOthersNone()
    {
        using var folder = new ScratchFolder();
        Directory.CreateDirectory(Path.Combine(folder.Root, "rows"));
        folder.Write("rows/b.csv", "q,a,other\n\"Who, then?\",Ann,Annie\nWho?,Bob,\n");
        folder.Write("rows/c.TSV", "q\ta\tother\n7?\t\t\n");
        folder.Write("rows/a.jsonl", """{"q": "1", "a": "one", "other": ["two", ""]}""");
        var (_, samples, texts) = Prepare(folder, "data: rows, prompt: \"Q: {{ q }} A:\", answers: [a, other], metrics: exact");
        Assert.Equal(["a-1", "b-2", "b-3", "c-2"], samples.Select(sample => sample.Id));
        Assert.Equal(["one|two", "Ann|Annie", "Bob", "|"], samples.Select(sample => string.Join('|', sample.Answers)));
        Assert.Equal(["Q: 1 A:", "Q: Who, then? A:", "Q: Who? A:", "Q: 7? A:"], texts);
    }

    [Theory]
    [InlineData("middle", "089")] // half of the limit from each end, the tokenizer's own first token among them
    [InlineData("left", "6789")]
    [InlineData("right", "0123")]
    [InlineData("none", "0123456789")]
    public void LongPrompts_AreCut(string truncate, string expected)
    {
        using var folder = new ScratchFolder();
        folder.Write("rows.jsonl", """{"q": "0123456789", "a": ""}""");
        var length = truncate switch { "left" => 4, "none" => 11, _ => 5 };
        var (_, _, texts) = Prepare(
            folder, $"data: rows.jsonl, prompt: \"{{{{ q }}}}\", answers: a, metrics: exact, truncate: {truncate}, max_length: {length}");
        Assert.Equal(expected, texts[0].Replace("<s>", "", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("qa_f1", "The cat sat", "cat sat down", 0.8)]
    [InlineData("exact", " Rome\n", "Rome", 1)]
    [InlineData("exact", "rome", "Rome", 0)]
    [InlineData("exact_words", "The Rome!", "rome", 1)]
    [InlineData("contains_all", "it is ROME", "Rome", 1)]
    [InlineData("contains_any", "it is Milan", "Rome", 0)]
    [InlineData("contains_any", "it is Milan", "", 0)]
    [InlineData("contains_all", "it is Milan", " ", 0)]
    [InlineData("last_number", "in 1,963 or 1964.", "1964", 1)]
    [InlineData("last_number", "1964, or in 1963", "1964", 0)]
    [InlineData("numbers", "12 of 13", "12", 0.5)]
    [InlineData("choice", "I think it is (B).", "B", 1)]
    [InlineData("choice", "Because D", "B", 0)]
    [InlineData("choice", "B", "(B) Because he came late", 1)]
    [InlineData("choices", "AC", "A, C", 1)]
    [InlineData("choices", "CA. Both are.", "AC", 1)]
    [InlineData("choices", "(A) and (C)", "A/C.", 1)]
    [InlineData("choices", "The answers are A and C", "AC", 1)]
    [InlineData("choices", "C", "AC", 0.25)]
    [InlineData("choices", "ABC", "AC", 0)]
    [InlineData("choices", "I do not know", "B", 0)]
    [InlineData("choices", "B", "B Because of A", 1)]
    [InlineData("code_similarity", "x = 1\n", "x = 1", 1)]
    [InlineData("rouge_l", "a b c", "a b c", 1)]
    public void Metrics_ScoreAsTheirNameSays(string metric, string prediction, string answer, double expected)
    {
        using var folder = new ScratchFolder();
        folder.Write("rows.jsonl", $$"""{"q": "", "a": ["none of these", "{{answer}}"]}""");
        var (task, samples, _) = Prepare(folder, $"data: rows.jsonl, prompt: x, answers: a, metrics: [{metric}]");
        // Of contains_all one of two answers is found.
        Assert.Equal(metric == "contains_all" ? expected / 2 : expected, Score(task, samples[0], prediction), 6);
    }

    [Fact]
    public void Classes_AndTheFirstLine_AreRead()
    {
        using var folder = new ScratchFolder();
        folder.Write("rows.jsonl", """{"q": "", "a": "Food", "c": ["Food", "Date", "Place"]}""");
        var (task, samples, _) = Prepare(folder, "data: rows.jsonl, prompt: x, answers: a, classes: c, metrics: class, first_line: true");
        Assert.Equal(0.5, Score(task, samples[0], "\nFood or Date\nPlace"));
    }

    /// <summary>The config says more than the definition, whose data lie beside it.</summary>
    [Fact]
    public void Config_CountsOverTheDefinition()
    {
        using var folder = new ScratchFolder();
        Directory.CreateDirectory(Path.Combine(folder.Root, "there"));
        folder.Write("there/rows.jsonl", """{"q": "x", "a": "y"}""");
        folder.Write(
            "there/mine.yaml", "data: rows.jsonl\nprompt: 'There: {{ q }}'\nanswers: a\nmetrics: exact\nmax_new_tokens: 5\nchat: false\n");
        var (task, samples, texts) = Prepare(folder, "definition: there/mine.yaml, max_new_tokens: 9", chat: true);
        Assert.Equal(("mine", "There: x", 9), (task.Name, texts[0], samples[0].MaxNewTokens));
        var (_, _, other) = Prepare(folder, "definition: there/mine.yaml, chat: true, answer_prefix: ' So'", chat: true);
        Assert.Equal("[user] There: x [reply]  So", other[0]);
        Assert.NotEqual(task.Digest, Read(folder, "definition: there/mine.yaml").Create().Digest);
    }

    [Theory]
    [InlineData("data: rows.jsonl", "key 'tasks[0].answers' is missing; allowed: the name of a field")]
    [InlineData("data: none.jsonl, " + Plain, "none.jsonl', which does not exist; allowed: ")]
    [InlineData("definition: empty, data: rows.jsonl", "empty', which is a folder; allowed: ")]
    [InlineData("data: rows.jsonl, prompt: x, answers: a, metrics: bleu",
        "key 'tasks[0].metrics' has the unknown value 'bleu'; allowed: qa_f1, rouge_l, ")]
    [InlineData("data: rows.jsonl, prompt: x, answers: a, metrics: class", "task own: key 'classes' is missing for the metric class")]
    [InlineData("data: rows.jsonl, prompt: x, answers: a, metrics: [exact, exact]", "task own: key 'metrics' has a metric twice")]
    [InlineData("data: rows.jsonl, promt: x", "key 'tasks[0].promt' is unknown; allowed: task, name, data, ")]
    [InlineData("definition: bad.yaml, data: rows.jsonl", "bad.yaml:2: key 'metric' is unknown")]
    [InlineData("data: rows.jsonl, prompt: '{% for %}', answers: a, metrics: exact",
        "my.yaml:1: key 'tasks[0].prompt': line 1 of the template: ")]
    [InlineData("definition: open.yaml, data: rows.jsonl", "open.yaml:2: key 'prompt': line 1 of the template: ")]
    [InlineData("data: rows.jsonl, prompt: '{{ context }}', answers: a, metrics: exact",
        "rows.jsonl:1: my.yaml:1: key 'tasks[0].prompt': line 1 of the template: 'context' is undefined")]
    [InlineData("data: same.jsonl, id: q, " + Plain, "same.jsonl:3: the id 'x?y' is that of ")]
    [InlineData("data: rows.jsonl, prompt: '{% for x in xs %}{% endfor %}', answers: a, metrics: exact", "'xs' is undefined")]
    [InlineData("data: rows.jsonl, prompt: x, answers: b, metrics: exact", "rows.jsonl:1: field 'b' is missing")]
    [InlineData("data: rows.jsonl, prompt: x, answers: o, metrics: exact",
        "rows.jsonl:1: field 'o' must be a text, a number or a list of them")]
    [InlineData("data: rows.jsonl, prompt: x, answers: n, metrics: exact", "rows.jsonl:1: field 'n' has no answer")]
    [InlineData("data: rows.jsonl, prompt: x, answers: [a, q], metrics: [choice, exact]",
        "rows.jsonl:1: field 'a', 'q' has 'y', which the metric choice never finds; allowed: one letter A to H first")]
    [InlineData("data: rows.jsonl, prompt: x, answers: a, classes: l, metrics: class", "never finds; allowed: one of the row's classes")]
    [InlineData("data: rows.jsonl, prompt: x, answers: a, metrics: last_number", "never finds; allowed: a number")]
    [InlineData("data: rows.jsonl, prompt: x, answers: a, metrics: numbers", "never finds; allowed: a number's digits")]
    [InlineData("data: rows.jsonl, prompt: x, questions: q, answers: a, metrics: exact", "rows.jsonl:1: field 'q' must be a list")]
    [InlineData("data: rows.jsonl, prompt: x, questions: l, answers: m, metrics: exact",
        "rows.jsonl:1: field 'm' has 1 item for the 2 of 'l'")]
    [InlineData("data: rows.jsonl, prompt: xyz, answers: a, metrics: exact, truncate: none, max_length: 3",
        "task 'own': sample '1' has 4 tokens; allowed: the max_length of 3, or truncate: middle, left or right")]
    [InlineData("data: half.jsonl, prompt: x, answers: a, metrics: exact", "half.jsonl:1: a text has half of a surrogate pair")]
    [InlineData("data: twice.jsonl, prompt: x, answers: a, metrics: exact", "twice.jsonl:1: not valid JSON: Duplicate property 'q'")]
    [InlineData("data: empty, prompt: x, answers: a, metrics: exact", "has no file that ends in .jsonl")]
    public void Mistakes_NameTheirPlace(string keys, string expected)
    {
        using var folder = new ScratchFolder();
        folder.Write("rows.jsonl", """{"q": "x", "a": "y", "o": {"k": 1}, "n": null, "l": ["1", "2"], "m": ["1"]}""");
        folder.Write("half.jsonl", """{"u": "\ud800", "a": "y"}""");
        folder.Write("twice.jsonl", """{"q": "1", "q": "2", "a": "y"}""");
        folder.Write("bad.yaml", "prompt: x\nmetric: exact\n");
        folder.Write("open.yaml", "answers: a\nprompt: '{% for %}'\nmetrics: exact\n");
        folder.Write("same.jsonl", "{\"q\": \"x\\ny\", \"a\": 1}\n\n{\"q\": \"x\\ny\", \"a\": 1}\n");
        Directory.CreateDirectory(Path.Combine(folder.Root, "empty"));
        var error = Assert.Throws<ConfigException>(() => Prepare(folder, keys));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    /// <summary>That it cannot be scored is the trial's to say.</summary>
    [Fact]
    public void AnAnswerTooLongToScore_IsNoMistakeOfItsRow()
    {
        var (answer, classes) = (new string('b', 1_000_000), Enumerable.Range(1, 2_000).Select(i => $"{i}c").ToArray());
        Assert.Throws<ScoreBudgetException>(() => OwnMetric.Of(OwnMetric.Classes).Score(answer, [answer], classes));
        Assert.True(OwnMetric.Of(OwnMetric.Classes).CanFind([answer], classes));
    }

    [Fact]
    public void BenchmarkFiles_RunByTheShippedDefinitions()
    {
        using var folder = new ScratchFolder();
        foreach (var (definition, data) in new[] { ("bamboo", "extra/bamboo"), ("ruler-file", "ruler/4096") })
        {
            var rows = TestData.SharedOrSkip(["data", .. data.Split('/')]);
            var (task, samples, texts) =
                Prepare(folder, $"definition: {Shipped(definition)}, data: {rows}, limit: 20", maxPromptTokens: 100_000);
            Assert.Equal(20, samples.Count);
            Assert.All(samples, sample => Assert.Equal(1, Score(task, sample, $"It is {sample.Answers[0]}.")));
            Assert.All(samples, sample => Assert.Equal(0, Score(task, sample, "no idea")));
            Assert.All(texts, text => Assert.InRange(text.Length, 4000, 40_000));
        }
    }

    private static string Shipped(string name) => Path.Combine(TestData.RepositoryRoot, "configs", "tasks", name + ".yaml");

    private static double Score(EvaluationTask task, TaskSample sample, string prediction) => ((TextTask)task).Score(sample, prediction);

    private static IReadOnlyDictionary<string, double> Parts(EvaluationTask task, TaskSample sample, string prediction) =>
        ((TextTask)task).Parts(sample, prediction);

    private static (EvaluationTask Task, IReadOnlyList<TaskSample> Samples, string[] Texts) Prepare(
        ScratchFolder folder, string keys, bool chat = false, int maxPromptTokens = 4000)
    {
        var task = Read(folder, keys).Create();
        var context = ByteTokenizer.Context(folder, maxPromptTokens, chat);
        var samples = task.Prepare(context);
        return (task, samples, [.. samples.Select(sample => context.Tokenizer.Decode(sample.PromptIds))]);
    }

    private static TaskOptions Read(ScratchFolder folder, string keys) =>
        TaskCatalog.Read(new("my.yaml", "tasks", YamlTree.Parse("my.yaml", $"[{{task: own, {keys}}}]")), folder.Root, 1)[0];
}
