using KvPareto.Tasks.Catalog;
using KvPareto.Tasks.Fidelity;
using KvPareto.Tasks.Gsm8k;
using KvPareto.Tasks.LongBench;
using KvPareto.Tasks.Mmlu;
using KvPareto.Tasks.Niah;
using KvPareto.Tasks.Ruler;
using KvPareto.Tasks.Synthetic;
using KvPareto.Testing;
using KvPareto.Text.Input;
using KvPareto.Text.Yaml;

namespace KvPareto.Tasks.Tests.Catalog;

public class TaskCatalogTests
{
    [Fact]
    public void Read_GivesEachKindItsOptions()
    {
        using var folder = new ScratchFolder();
        var rows = folder.Write("rows.jsonl", "");
        var here = folder.Root;
        Assert.Equal(
            new SyntheticOptions { Kind = SyntheticKind.TwoHop, Count = 3, Length = 200, Seed = 7 },
            Read("{task: embedded, kind: two-hop, samples: 3, length: 200}"));
        Assert.Equal(5, Assert.IsType<SyntheticOptions>(Read("{task: embedded, kind: fact, samples: 3, length: 200, seed: 5}")).Seed);
        Assert.Equal(
            new LongBenchOptions { Name = "mine", File = rows, Limit = 2, MaxLength = 500, MaxNewTokens = 9, Jieba = here },
            Read("{task: longbench, name: mine, file: rows.jsonl, limit: 2, max_length: 500, max_new_tokens: 9, jieba: .}"));
        Assert.Equal(
            new Gsm8kOptions
            {
                File = rows,
                ShotsFile = rows,
                Shots = 4,
                Format = Gsm8kFormat.Cot,
                Chat = true,
                Limit = 3,
                MaxNewTokens = 8
            },
            Read("{task: gsm8k, file: rows.jsonl, shots_file: rows.jsonl, shots: 4, format: cot, chat: true, limit: 3, max_new_tokens: 8}"));
        Assert.Equal(256, Assert.IsType<Gsm8kOptions>(Read("{task: gsm8k, file: rows.jsonl, shots: 0}")).MaxNewTokens);
        Assert.Equal(
            new RulerOptions { Kind = "vt", Length = 900, Samples = 5, Seed = 7, Chat = false, Haystack = here },
            Read("{task: ruler, kind: vt, length: 900, samples: 5, chat: false, haystack: .}"));
        var mmlu = Assert.IsType<MmluOptions>(Read("{task: mmlu, folder: ., subjects: [astronomy], shots: 2, limit: 6}"));
        Assert.Equal((here, "astronomy", 2, 6), (mmlu.Folder, Assert.Single(mmlu.Subjects!), mmlu.Shots, mmlu.Limit));
        Assert.Equal(
            new FidelityOptions { File = rows, Tokens = 64, Window = 16 },
                Read("{task: fidelity, text: rows.jsonl, tokens: 64, window: 16}"));
        var niah = Assert.IsType<NiahOptions>(Read("{task: niah, folder: ., lengths: [100, 200], depths: [5], needles: [lighthouse]}"));
        Assert.Equal([100, 200], niah.Lengths);
        Assert.Equal((here, 5.0, "lighthouse", 32), (niah.Folder, niah.Depths[0], niah.Needles[0].Name, niah.MaxNewTokens));

        TaskOptions Read(string task) => Assert.Single(Parse($"[{task}]", folder.Root, 7));
    }

    /// <summary>What options say together is checked by the options themselves; the message still says where they stand.</summary>
    [Theory]
    [InlineData("[{task: gsm8k, file: rows.jsonl}]", "my.yaml:1: key 'tasks[0]': task gsm8k: key 'shots_file' is missing for 5 shots")]
    [InlineData("[{task: fidelity, text: rows.jsonl, tokens: 5, window: 2}]", "my.yaml:1: key 'tasks[0]': fidelity: tokens 5; allowed: ")]
    [InlineData("[{task: mmlu, folder: ., subjects: [a, a]}]", "my.yaml:1: key 'tasks[0]': task mmlu: key 'subjects' has 'a' twice")]
    [InlineData("[{task: niah, folder: none, lengths: [100]}]", "my.yaml:1: key 'tasks[0].folder' names '")]
    [InlineData("[{task: mmlu, folder: ., name: ''}]", "my.yaml:1: key 'tasks[0].name' has no value")]
    [InlineData("[{task: niah, folder: ., lengths: [100], files: 3}]",
        "my.yaml:1: key 'tasks[0].files' is unknown; allowed: task, name, folder,")]
    public void Mistakes_NameTheirPlace(string tasks, string expected)
    {
        using var folder = new ScratchFolder();
        folder.Write("rows.jsonl", "");
        var error = Assert.Throws<ConfigException>(() => Parse(tasks, folder.Root, 1));
        Assert.StartsWith(expected, error.Message, StringComparison.Ordinal);
    }

    /// <summary>Tasks that make their prompts can be made to a length; whose data have one of their own, can't.</summary>
    [Fact]
    public void AtLength_GivesPromptsOfThatLength()
    {
        using var folder = new ScratchFolder();
        var text = folder.Write("hay.txt", string.Concat(Enumerable.Repeat("The sun rose over the bay. Gulls cried.\n", 40)));
        var context = ByteTokenizer.Context(folder, 4000);
        Assert.Null(new LongBenchOptions { File = text }.AtLength(1000));
        Assert.Null(new Gsm8kOptions { File = text }.AtLength(1000));
        Assert.Null(new MmluOptions { Folder = text }.AtLength(1000));
        Assert.Null(new FidelityOptions { File = text }.AtLength(1000));
        FitsAt(1000, 990, new NiahOptions { Folder = text, Lengths = [300], Name = "kept" });
        FitsAt(2000, 1800, new RulerOptions { Kind = "niah_multikey_2", Length = 300, Samples = 2, Name = "kept", MaxNewTokens = 1 });
        FitsAt(1500, 990, new SyntheticOptions { Kind = SyntheticKind.Fact, Count = 3, Length = 100, Name = "kept" });

        void FitsAt(int tokens, int least, TaskOptions options)
        {
            var longer = options.AtLength(tokens);
            Assert.Equal("kept", longer?.Name);
            var lengths = longer!.Create().Prepare(context).Select(sample => sample.PromptIds.Length).ToList();
            Assert.All(lengths, length => Assert.InRange(length, 1, tokens));
            Assert.InRange(lengths.Max(), least, tokens);
            Assert.NotEqual(longer.Create().Digest, options.AtLength(tokens - 1)!.Create().Digest);
        }
    }

    private static IReadOnlyList<TaskOptions> Parse(string tasks, string folder, int seed) =>
        TaskCatalog.Read(new("my.yaml", "tasks", YamlTree.Parse("my.yaml", tasks)), folder, seed);
}
