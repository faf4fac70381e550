using KvPareto.Sweep.Config;
using KvPareto.Testing;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Tests.Config;

public class SweepConfigTests
{
    private const string Good = """
        name: test
        models: [{name: here, path: .}]
        tasks: [{task: embedded, kind: fact, samples: 3, length: 100}]
        axes: {weights: [w16, w4g64], cache: [k8v8, k4v2], granularity: [t32, kt32-vt64], smooth: [false, true], chunk: [none, 64]}
        """;

    private static SweepConfig Read(string yaml, params string[] models) =>
        SweepConfigReader.Read("my.yaml", yaml, AppContext.BaseDirectory, models);

    private static string Refusal(string yaml, params string[] models) => Assert.Throws<ConfigException>(() => Read(yaml, models)).Message;

    /// <summary>A mistake put in place of a line of a good config, and what the message must say.</summary>
    public static TheoryData<string, string, string> Mistakes => new()
    {
        { "name: test", "nmae: test", "my.yaml:1: key 'nmae' is unknown; allowed: name, seed, models" },
        { "name: test", "name:", "my.yaml:1: key 'name' has no value" },
        { "name: test", "name: [a]", "my.yaml:1: key 'name' is a list" },
        { "name: test", "name: test\nname: again", "my.yaml:2: key 'name' stands twice" },
        { "name: test", "name: ../../etc", "key 'name' is '../../etc'; allowed: 1 to 80 letters" },
        { "name: test", "seed: -1", "key 'seed' is -1, out of range; allowed: a whole number from 0 to" },
        { "name: test", "seed: '1'", "key 'seed' is '1', not a whole number" },
        { "name: test", "seed: 1.5", "key 'seed' is '1.5', not a whole number" },
        { "name: test", "seed: 99999999999999999999", "key 'seed' is '99999999999999999999', not a whole number" },
        { "name: test", "seed: {a: 1}", "key 'seed' is a mapping" },
        { "name: test", "timing: {repeats: 0}", "key 'timing.repeats' is 0, out of range" },
        { "name: test", "timing: {rounds: 1}", "key 'timing.rounds' is unknown; allowed: repeats, warmup" },
        { "name: test", "timing: 3", "key 'timing' is a single value, not a mapping" },
        { "name: test", "baseline: w5a16-k8v8", "my.yaml:1: key 'baseline': setting 'w5a16-k8v8'" },
        { "name: test", "settings: [w16a16-k16v16, w4a16]", "key 'settings[1]': setting 'w4a16': a part is missing" },
        { "name: test", "settings: w16a16-k16v16", "key 'settings' is a single value, not a list" },
        { "name: test", "settings: []", "key 'settings' is an empty list" },
        { "name: test", "exclude: [k2v2]", "key 'exclude[0]' matches none of the" },
        { "name: test", "exclude: [{cache: k16v16}]", "key 'exclude[0]' matches none of the" },
        { "name: test", "exclude: [{bits: 2}]", "key 'exclude[0].bits' is unknown; allowed: weights, embedding, cache" },
        { "name: test", "exclude: [{}]", "key 'exclude[0]' is no pattern" },
        { "name: test", "include: [{smooth: maybe}]", "key 'include[0].smooth' has the unknown value 'maybe'; allowed: false, true" },
        { "models", "modles: []", "key 'modles' is unknown" },
        { "models", "seed: 1", "key 'models' is missing" },
        { "models", "models: embedded:llama", "key 'models' is a single value, not a list" },
        { "models", "models: []", "key 'models' is an empty list" },
        { "models", "models: [embedded:gpt]",
            "my.yaml:2: key 'models[0]': model 'embedded:gpt' is not embedded; allowed: embedded:llama" },
        { "models", "models: [nowhere/at/all]", "which does not exist" },
        { "models", "models: [{name: a, path: .}, {name: a, path: .}]", "is a second model named 'a'" },
        { "models", "models: [{name: a}]", "key 'models[0].path' is missing" },
        { "models", "models: [\"${KVPARETO_NEVER_SET}/x\"]",
            "my.yaml:2: key 'models[0]' needs the environment variable KVPARETO_NEVER_SET, which is not set" },
        { "tasks", "seed: 1", "key 'tasks' is missing" },
        { "tasks", "tasks: [fact]", "key 'tasks[0]' is no task" },
        { "tasks", "tasks: [{kind: fact}]", "key 'tasks[0].task' is missing; allowed: embedded, longbench, niah" },
        { "tasks", "tasks: [{task: arc}]",
            "key 'tasks[0].task' has the unknown value 'arc'; allowed: embedded, longbench, niah, ruler, gsm8k, mmlu, own, fidelity" },
        { "tasks", "tasks: [{task: embedded, kind: riddle, samples: 1, length: 100}]",
            "key 'tasks[0].kind' has the unknown value 'riddle'; allowed: fact, two-hop, count, label" },
        { "tasks", "tasks: [{task: embedded, kind: fact, samples: 0, length: 100}]", "key 'tasks[0].samples' is 0, out of range" },
        { "tasks", "tasks: [{task: embedded, kind: fact, length: 100}]", "key 'tasks[0].samples' is missing" },
        { "tasks", "tasks: [{task: embedded, kind: fact, samples: 1, length: 1}]", "key 'tasks[0].length' is 1, out of range" },
        { "tasks", "tasks: [{task: embedded, kind: fact, samples: 1, length: 100, file: x}]",
            "key 'tasks[0].file' is unknown; allowed: task, name, kind, samples, length, seed" },
        { "tasks", "tasks: [{task: longbench}]", "key 'tasks[0].file' is missing" },
        { "tasks", "tasks: [{task: longbench, file: none.jsonl}]", "key 'tasks[0].file' names" },
        { "tasks", "tasks: [{task: longbench, file: xunit.v3.core.dll, jieba: none}]",
            "does not exist; allowed: a folder with jieba's dict.txt and hmm.json" },
        { "tasks", "tasks: [{task: niah, folder: ., lengths: [], depths: [50]}]", "key 'tasks[0].lengths' is an empty list" },
        { "tasks", "tasks: [{task: niah, folder: ., lengths: [1000], depths: [101]}]",
            "key 'tasks[0].depths[0]' is 101, out of range; allowed: a number from 0 to 100" },
        { "tasks", "tasks: [{task: niah, folder: ., lengths: [1000], depths: [.nan]}]",
            "key 'tasks[0].depths[0]' is '.nan', not a number" },
        { "tasks", "tasks: [{task: niah, folder: ., lengths: [1000], needles: [haystack]}]",
            "key 'tasks[0].needles[0]' has the unknown value 'haystack'; allowed: sandwich" },
        { "tasks", "tasks: [{task: gsm8k}]", "key 'tasks[0].file' is missing; allowed: a JSONL file with the fields question and answer" },
        { "tasks", "tasks: [{task: gsm8k, file: none.jsonl}]", "key 'tasks[0].file' names" },
        { "tasks", "tasks: [{task: gsm8k, file: KvPareto.Engine.dll, shots_file: none.jsonl}]", "key 'tasks[0].shots_file' names" },
        { "tasks", "tasks: [{task: gsm8k, file: KvPareto.Engine.dll, format: plain}]",
            "key 'tasks[0].format' has the unknown value 'plain'; allowed: hash, cot" },
        { "tasks", "tasks: [{task: gsm8k, file: KvPareto.Engine.dll, shots: 65}]",
            "key 'tasks[0].shots' is 65, out of range; allowed: a whole number from 0 to 64" },
        { "tasks", "tasks: [{task: gsm8k, file: KvPareto.Engine.dll, chat: 1}]", "key 'tasks[0].chat' is '1', not a truth value" },
        { "tasks", "tasks: [{task: mmlu, folder: none}]", "key 'tasks[0].folder' names" },
        { "tasks", "tasks: [{task: mmlu, folder: ., shots: 6}]",
            "key 'tasks[0].shots' is 6, out of range; allowed: a whole number from 0 to 5" },
        { "tasks", "tasks: [{task: mmlu, folder: ., subjects: astronomy}]", "key 'tasks[0].subjects' is a single value, not a list" },
        { "tasks", "tasks: [{task: mmlu, folder: ., chat: true}]",
            "key 'tasks[0].chat' is unknown; allowed: task, name, folder, subjects, shots, limit" },
        { "axes", "seed: 1", "has neither 'axes' nor 'settings'" },
        { "axes", "settings: [w16a16-k8v8-t64]\nexclude: [\"*\"]", "key 'exclude[0]' has no axes to choose from" },
        { "axes", "axes: {embedding: [2]}", "my.yaml:4: key 'axes.embedding[0]' has the unknown value '2'; allowed: 16, 8, 4" },
        { "axes", "axes: {weights: [w5]}", "my.yaml:4: key 'axes.weights[0]' has the unknown value 'w5'; allowed: w16, w8, w4, and" },
        { "axes", "axes: {weights: [w16a16-k8v8]}", "key 'axes.weights[0]' has the unknown value" },
        { "axes", "axes: {weights: w4}", "key 'axes.weights' is a single value, not a list" },
        { "axes", "axes: {cache: [k8v3]}", "key 'axes.cache[0]' has the unknown value 'k8v3'" },
        { "axes", "axes: {cache: [k8v8-t64]}", "key 'axes.cache[0]' has the unknown value 'k8v8-t64'" },
        { "axes", "axes: {granularity: [t0]}", "key 'axes.granularity[0]' has the unknown value 't0'" },
        { "axes", "axes: {granularity: [t64-smooth]}", "key 'axes.granularity[0]' has the unknown value 't64-smooth'" },
        { "axes", "axes: {granularity: [smooth]}", "key 'axes.granularity[0]' has the unknown value 'smooth'" },
        { "axes", "axes: {granularity: [kt64]}", "key 'axes.granularity[0]' has the unknown value 'kt64'" },
        { "axes", "axes: {smooth: [1]}", "key 'axes.smooth[0]' has the unknown value '1'; allowed: false, true" },
        { "axes", "axes: {cache: [k4v4], keys: [4]}", "key 'axes.cache' and 'keys' say the same; allowed: one of them" },
        { "axes", "axes: {keys: [3]}", "key 'axes.keys[0]' has the unknown value '3'; allowed: 16, 8, 4, 2" },
        { "axes", "axes: {chunk: [0]}", "key 'axes.chunk[0]' has the unknown value '0'; allowed: none, auto, or a number of tokens" },
        { "axes", "axes: {chunk: [all]}", "key 'axes.chunk[0]' has the unknown value 'all'; allowed: none" },
        { "axes", "axes: {attention: [fast]}", "key 'axes.attention[0]' has the unknown value 'fast'; allowed: flash, math" },
        { "axes", "axes: {window: [0]}", "key 'axes.window' is unknown; allowed: weights, embedding, cache" },
        { "axes", "axes:", "key 'axes' is a single value, not a mapping" },
    };

    [Theory]
    [MemberData(nameof(Mistakes))]
    public void Read_NamesFileLineKeyAndWhatIsAllowed(string key, string line, string expected)
    {
        var yaml = string.Join('\n', Good.Split('\n').Select(good => good.StartsWith(key, StringComparison.Ordinal) ? line : good));
        var message = Assert.Throws<ConfigException>(() => SearchSpace.Expand(Read(yaml))).Message;
        Assert.Contains(expected, message, StringComparison.Ordinal);
        Assert.StartsWith("my.yaml:", message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public void Read_TakesDefaults()
    {
        var config = Read(Good);
        Assert.Equal(("test", 1, 1, 1, "w16a16-k16v16"), (config.Name, config.Seed, config.Repeats, config.WarmUp, config.Baseline.Name));
        Assert.Equal(Good, config.Source);
    }

    [Theory]
    [InlineData("a/my.sweep.yaml", "my.sweep")]
    [InlineData(".yaml", "sweep")]
    [InlineData("a/...yaml", "sweep")]
    public void Name_IsTheFiles_WhereItMakesAFolder(string file, string name) => Assert.Equal(
        name, SweepConfigReader.Read(file, Good.Replace("name: test\n", "", StringComparison.Ordinal), AppContext.BaseDirectory, []).Name);

    [Fact]
    public void Read_ExpandsEnvironmentVariables()
    {
        Environment.SetEnvironmentVariable("KVPARETO_TEST_FOLDER", AppContext.BaseDirectory);
        var config = Read(Good.Replace("path: .", "path: '${KVPARETO_TEST_FOLDER}/.'", StringComparison.Ordinal));
        Assert.Equal(Path.GetFullPath(AppContext.BaseDirectory + "/."), config.Models[0].Model);
        Assert.Equal(Good.Replace("path: .", "path: '${KVPARETO_TEST_FOLDER}/.'", StringComparison.Ordinal), config.Source);
    }

    [Fact]
    public void Read_LetsOptionsStandInForModels()
    {
        using var temp = new ScratchFolder();
        var config = Read(Good.Replace("path: .", "path: '${KVPARETO_NEVER_SET}'", StringComparison.Ordinal), temp.Root);
        Assert.Equal(new ModelEntry(Path.GetFileName(temp.Root), temp.Root, "--model"), Assert.Single(config.Models));
        Assert.Contains("--model", Refusal(Good, "nowhere"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("cfg.yaml", null, "no such file")]
    [InlineData("cfg.yaml", "caf\u00e9", "not UTF-8")]
    [InlineData("", null, "is a folder; allowed: a file")]
    public void Load_NamesTheFile(string name, string? content, string expected)
    {
        using var temp = new ScratchFolder();
        var file = temp[name];
        if (content is not null) File.WriteAllBytes(file, [.. content.Select(letter => (byte)letter)]);
        var message = Assert.Throws<ConfigException>(() => SweepConfig.Load(file)).Message;
        Assert.StartsWith(file, message, StringComparison.Ordinal);
        Assert.Contains(expected, message, StringComparison.Ordinal);
    }

    [Fact]
    public void Quickstart_IsTheRepositorysFile()
    {
        using var temp = new ScratchFolder();
        var config = SweepConfig.Quickstart(temp.Root);
        Assert.Equal("quickstart", config.Name);
        var settings = SearchSpace.Expand(config);
        Assert.InRange(settings.Count, 10, 16);
        Assert.Equal(config.Baseline, settings[0]);
        Assert.Equal(4, config.Tasks.Count);
    }

    [Theory]
    [InlineData("smollm2.yaml")]
    [InlineData("gsm8k-mmlu.yaml")]
    public void RealModelsConfigs_HaveAtLeastTwelveSettings(string file)
    {
        var shared = Path.GetFullPath(Path.Combine(TestData.SharedOrSkip("data", "longbench"), "..", ".."));
        var yaml = File.ReadAllText(Path.Combine(TestData.RepositoryRoot, "configs", file));
        using var temp = new ScratchFolder();
        var config = Read(yaml.Replace("${KVPARETO_SHARED}", shared, StringComparison.Ordinal), temp.Root);
        Assert.InRange(SearchSpace.Expand(config).Count, 12, 20);
    }

    [Fact]
    public void Read_SurvivesAnyDamage()
    {
        var good = File.ReadAllText(Path.Combine(TestData.RepositoryRoot, "configs", "quickstart.yaml"));
        const string Specials = "[]{}:,-?&*!|>'\"%@`#\n\t ~\0\u00e9\\";
        var random = new Random(3);
        var refused = 0;
        for (var round = 0; round < 1000; round++)
        {
            var text = good.ToCharArray();
            for (var flips = random.Next(1, 6); flips > 0; flips--) text[random.Next(text.Length)] = Specials[random.Next(Specials.Length)];
            try
            {
                SweepConfigReader.Read("f", new string(text)[..random.Next(1, text.Length + 1)], AppContext.BaseDirectory, ["."]);
            }
            catch (ConfigException e)
            {
                refused++;
                Assert.DoesNotContain('\n', e.Message);
            }
        }
        Assert.InRange(refused, 250, 1000);
    }
}
