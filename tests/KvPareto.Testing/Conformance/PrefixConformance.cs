using System.Text.Json.Nodes;
using KvPareto.Engine.Cache;
using KvPareto.Engine.Checkpoints.Sources;
using KvPareto.Engine.Generation;
using KvPareto.Engine.Model;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Settings;
using Xunit;

namespace KvPareto.Testing.Conformance;

/// <summary>Prompts that begin alike on a backend. A device adds a class that derives from this and says how to make its backend.</summary>
public abstract class PrefixConformance
{
    private const int Common = 150; // tokens that most prompts begin with
    private const int NewTokens = 12;

    /// <summary>A fresh backend; a device that is not there skips the test.</summary>
    protected abstract Backend Create();

    [Theory]
    [InlineData("llama", "w16a16-k16v16-c32")]
    [InlineData("llama", "w16a16-k32v32-c32-math")]
    [InlineData("llama", "w4a16-k4v4-t32-c32")]
    [InlineData("llama", "w16a16-k4v4-t32-smooth-c32")]
    [InlineData("llama", "w16a16-k4v2-kpow2-vb16-sink3-c32")]
    [InlineData("llama", "w16a16-e4-k8v8-b16-smooth-sink4-recent8-c32")]
    [InlineData("qwen2", "w8a16-k8v4-kch64-vt32-c32")]
    [InlineData("qwen2", "w4g32a16-k4v4-kch32-vt32-prebias-c32")]
    [InlineData("qwen3", "w16a16-k2v2-t32-sink4-recent64-c32")]
    [InlineData("qwen3", "w16a16-k2v4-kch32-vb32-sink6-recent20-c32")]
    [InlineData("mistral", "w16a16-k4v4-t32-rotkv-c32")]
    [InlineData("mistral", "w16a16-k4v4-tensor-sink2-c32")]
    [InlineData("llama", "w16a16-k4v4-tensor-recent40-c32")]
    [InlineData("llama", "w16a16-k4v4-tensor-sink5-recent7-c32-math")]
    [InlineData("dynamic", "w16a16-k8v8-t32-c32")]
    public void Prompts_GiveWhatTheyGiveByThemselves(string model, string name)
    {
        using var backend = Create();
        using var folder = new ScratchFolder();
        var parsed = InferenceSetting.Parse(name);
        using var loaded = LanguageModel.Load(backend, ModelsOfGeneration.Write(model, folder), parsed.Weights);
        var setting = parsed.For(loaded.Config);
        if (!backend.CopiesCaches)
        {
            RefusesToCopy(loaded, setting);
            return;
        }
        var cancellation = TestContext.Current.CancellationToken;
        var (live, load) = (backend.Memory.Live, backend.Memory.Peaks.Load);
        var alone = new Generator(loaded.Transformer, setting);
        using (var prefixes = new PromptPrefixes(loaded.Transformer))
        {
            var generator = new Generator(loaded.Transformer, setting, prefixes);
            foreach (var (prompt, taken) in Prompts().Zip(Taken(model, setting.Cache.RecentTokens)))
            {
                var (one, other) = (alone.Generate(prompt, NewTokens), generator.Generate(prompt, NewTokens, cancellation: cancellation));
                Assert.Equal(one.Ids, other.Ids);
                Assert.Equal(one.Peaks, other.Peaks);
                Assert.Equal((0, taken), (one.PrefixTokens, other.PrefixTokens));
            }
            using (var full = backend.CreateCache(loaded.Transformer.Geometry(32), setting.Cache, 32))
            using (var small = backend.CreateCache(full.Geometry, setting.Cache, 16))
            using (var workspace = backend.CreateWorkspace(new(32, 32, full.Geometry, setting.Attention)))
            {
                int[] positions = [.. Enumerable.Range(0, 17)];
                backend.Begin(workspace, positions, positions, full);
                Assert.Throws<CapacityException>(() => small.Take(full));
            }
            Assert.NotEqual(live, backend.Memory.Live);
            Assert.Equal(live, backend.Memory.Counted);
        }
        Assert.Equal((live, load), (backend.Memory.Live, backend.Memory.Peaks.Load));
    }

    [Theory]
    [InlineData("llama", "w16a16-k16v16-c32")]
    [InlineData("qwen2", "w16a16-k4v4-kch32-vt32-prebias-recent2-c32")]
    [InlineData("qwen3", "w16a16-k2v2-t32-smooth-c32")]
    public void Likelihoods_AreThoseOfWholePrompts(string model, string name)
    {
        using var backend = Create();
        Assert.SkipUnless(backend.CopiesCaches, "the device does not copy caches");
        using var folder = new ScratchFolder();
        var parsed = InferenceSetting.Parse(name);
        using var loaded = LanguageModel.Load(backend, ModelsOfGeneration.Write(model, folder), parsed.Weights);
        var setting = parsed.For(loaded.Config);
        using var prefixes = new PromptPrefixes(loaded.Transformer);
        var (alone, generator) = (new Generator(loaded.Transformer, setting), new Generator(loaded.Transformer, setting, prefixes));
        int[][] continuations = [[5], [7, 8, 9], [7, 8, 4], [11, 12]];
        foreach (var (prompt, index) in Prompts().Select((prompt, index) => (prompt, index)))
        {
            var (one, other) = (alone.LogLikelihoods(prompt, continuations), generator.LogLikelihoods(prompt, continuations));
            Assert.Equal(one.Values, other.Values);
            Assert.Equal(one.Peaks, other.Peaks);
            if (index == 2) Assert.Equal((0, 128), (one.PrefixTokens, other.PrefixTokens));
        }
    }

    /// <summary>Prompts of several passes, of as many steps as go together at the most.</summary>
    [Theory]
    [InlineData("w16a16-k16v16-c256")]
    [InlineData("w4g32a16-k4v4-kch32-vt32-recent40-c256")]
    public void LongPrompts_GiveWhatTheyGiveByThemselves(string name)
    {
        using var backend = Create();
        Assert.SkipUnless(backend.CopiesCaches, "the device does not copy caches");
        using var folder = new ScratchFolder();
        var config = JsonNode.Parse(File.ReadAllText(Path.Combine(TestData.Golden("models", "qwen3"), "config.json")))!;
        // Large enough that products on a GPU have scratch to spare.
        (config["hidden_size"], config["intermediate_size"], config["head_dim"]) = (768, 4096, 128);
        (config["num_hidden_layers"], config["layer_types"], config["max_position_embeddings"]) = (1, null, 2048);
        folder.Write("config.json", config.ToJsonString());
        using var checkpoint = ModelSource.Open($"random:3:{folder.Root}").OpenCheckpoint();
        var setting = InferenceSetting.Parse(name);
        using var weights = TransformerWeights.Load(backend, checkpoint, setting.Weights);
        var transformer = new Transformer(backend, checkpoint.Config, weights);
        using var prefixes = new PromptPrefixes(transformer);
        var (alone, generator) = (new Generator(transformer, setting), new Generator(transformer, setting, prefixes));
        var random = new Random(5);
        int[] Ids(int count) => [.. Enumerable.Range(0, count).Select(_ => random.Next(3, 60))];
        var common = Ids(1100);
        (int[] Prompt, int Taken)[] cases =
        [
            ([.. common, .. Ids(200)], 0), ([.. common, .. Ids(90)], 0), ([.. common, .. Ids(1)], 1024), ([.. common[..700], .. Ids(600)], 0),
            ([.. common[..700], .. Ids(60)], 512), ([.. common[..700], .. Ids(900)], 512),
        ];
        foreach (var (prompt, taken) in cases)
        {
            var (one, other) = (alone.Generate(prompt, maxNewTokens: 4), generator.Generate(prompt, maxNewTokens: 4));
            Assert.Equal(one.Ids, other.Ids);
            Assert.Equal(one.Peaks, other.Peaks);
            Assert.Equal((0, taken), (one.PrefixTokens, other.PrefixTokens));
        }
    }

    [Fact]
    public void Prefixes_GiveWayWhereThereIsNoRoom()
    {
        using var backend = Create();
        Assert.SkipUnless(backend.CopiesCaches, "the device does not copy caches");
        using var folder = new ScratchFolder();
        var setting = InferenceSetting.Parse("w16a16-k8v8-t32-c32");
        using var loaded = LanguageModel.Load(backend, ModelsOfGeneration.Write("llama", folder), setting.Weights);
        var live = backend.Memory.Live.Total;
        var prompts = Prompts().ToArray();
        prompts = [prompts[0], prompts[2], prompts[1]]; // of 183, 151 and 220 tokens
        var peaks = prompts.Select(
            prompt => new Generator(loaded.Transformer, setting).Generate(prompt, NewTokens).Peaks.Prefill.Total).ToArray();
        var bytes = backend.Layout.CacheBytes(loaded.Config.Geometry, setting.Cache, 128);
        Assert.Equal((128, true), TakenByTheLast(peaks[2] + bytes));
        Assert.Equal((0, false), TakenByTheLast(peaks[2] + bytes - 1)); // there was room while the second was read
        Assert.Equal((0, false), TakenByTheLast(peaks[1] + bytes - 1));

        (int Tokens, bool IsKept) TakenByTheLast(long room)
        {
            using var prefixes = new PromptPrefixes(loaded.Transformer, room);
            var generator = new Generator(loaded.Transformer, setting, prefixes);
            int[] taken = [.. prompts.Select(prompt => generator.Generate(prompt, NewTokens).PrefixTokens)];
            return (taken[^1], backend.Memory.Live.Total > live);
        }
    }

    private static void RefusesToCopy(LanguageModel model, InferenceSetting setting)
    {
        var backend = model.Transformer.Backend;
        using var one = backend.CreateCache(model.Transformer.Geometry(16), setting.Cache, 16);
        using var other = backend.CreateCache(model.Transformer.Geometry(16), setting.Cache, 16);
        Assert.Throws<NotSupportedException>(() => other.Take(one));
    }

    private static IEnumerable<int[]> Prompts()
    {
        var random = new Random(11);
        var common = Ids(Common);
        int[] longer = [.. common, .. Ids(60)];
        yield return [.. common, .. Ids(33)];
        yield return [.. common, .. Ids(70)]; // keeps 128
        yield return [.. common, .. Ids(1)]; // takes 128
        yield return longer;
        yield return [.. longer, .. Ids(9)]; // keeps 192 beside
        yield return longer[..^1]; // takes 192
        yield return common[..128]; // of its own length nothing is taken
        yield return [.. common[..64], .. Ids(100)]; // no longer begins with 128, keeps 64
        yield return [.. common[..64], .. Ids(20)]; // takes 64
        yield return [.. common[..64], .. Ids(140)]; // takes 64

        int[] Ids(int count) => [.. Enumerable.Range(0, count).Select(_ => random.Next(3, 60))];
    }

    // Of dynamic frequencies, only caches of at most 200 tokens are alike. What is recent needs room to be coded.
    private static int[] Taken(string model, int recent) =>
        model == "dynamic" ? [0, 0, 0, 0, 0, 0, 0, 0, 64, 0] : [0, 0, 128, 128, 128, recent > 38 ? 128 : 192, 0, 0, 64, 64];
}
