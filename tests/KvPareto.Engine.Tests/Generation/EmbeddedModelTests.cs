using System.Text.Json;
using KvPareto.Cpu;
using KvPareto.Engine.Cache;
using KvPareto.Engine.Checkpoints.SafeTensors;
using KvPareto.Engine.Generation;
using KvPareto.Engine.Model;
using KvPareto.Engine.Settings;
using KvPareto.Testing;
using KvPareto.Text.Tokenizers;

namespace KvPareto.Engine.Tests.Generation;

/// <summary>The models that come with the tool, against Hugging Face transformers in f32 on the same bf16 weights
/// (Data/embedded).</summary>
public class EmbeddedModelTests
{
    // f32 sums in another order; references are rounded to five decimals, the largest logit is about 24.
    private const float LogitTolerance = 2e-3f;
    private const int LargestFile = 4_000_000;

    private static readonly InferenceSetting Exact = new() { Cache = new KvSpec { Keys = new(32), Values = new(32) }, Chunk = 256 };

    [Theory]
    [InlineData("llama")]
    [InlineData("qwen2")]
    [InlineData("mistral")]
    public void Greedy_EqualsTransformers(string family)
    {
        using var model = new Loaded(family);
        foreach (var prompt in References(family).GetProperty("prompts").EnumerateArray())
        {
            var completion = new Generator(model.Transformer, Exact).Generate(Ids(prompt, "prompt_ids"), 16);
            Assert.Equal(Ids(prompt, "greedy_ids"), completion.Ids);
        }
    }

    [Theory]
    [InlineData("llama")]
    [InlineData("qwen2")]
    [InlineData("mistral")]
    public void Logits_EqualTransformers(string family)
    {
        using var model = new Loaded(family);
        foreach (var prompt in References(family).GetProperty("prompts").EnumerateArray())
        {
            var ids = Ids(prompt, "prompt_ids");
            var last = AllLogits.Of(model.Transformer, Exact, ids)[^model.Transformer.Config.VocabularySize..];
            var best = Enumerable.Range(0, last.Length).OrderByDescending(id => last[id]).Take(5).ToArray();
            Assert.Equal(Ids(prompt, "top_ids"), best);
            var expected = prompt.GetProperty("top_logits").EnumerateArray().Select(value => value.GetSingle()).ToArray();
            for (var rank = 0; rank < expected.Length; rank++) Assert.Equal(expected[rank], last[best[rank]], LogitTolerance);
        }
    }

    [Theory]
    [InlineData("llama")]
    [InlineData("qwen2")]
    [InlineData("mistral")]
    public void Encode_EqualsTransformers(string family)
    {
        var tokenizer = Tokenizer.Load(Folder(family));
        foreach (var encoding in References(family).GetProperty("encodings").EnumerateArray())
        {
            var text = encoding.GetProperty("text").GetString()!;
            Assert.Equal(Ids(encoding, "ids"), tokenizer.Encode(text));
            Assert.Equal(Ids(encoding, "ids_without_special"), tokenizer.Encode(text, addSpecialTokens: false));
        }
        foreach (var prompt in References(family).GetProperty("prompts").EnumerateArray())
        {
            var reply = tokenizer.Decode(Ids(prompt, "greedy_ids"));
            Assert.Equal(" " + prompt.GetProperty("reply").GetString(), reply);
        }
    }

    [Theory]
    [InlineData("llama", 0, false)]
    [InlineData("qwen2", 0, true)]
    [InlineData("mistral", 1024, false)]
    public void Folder_IsSmall_AndOfTheFamilysShape(string family, int window, bool biases)
    {
        Assert.InRange(new FileInfo(Path.Combine(Folder(family), "model.safetensors")).Length, 3_000_000, LargestFile);
        using var checkpoint = SafeTensorsCheckpoint.Open(Folder(family));
        var config = checkpoint.Config;
        Assert.Equal(family, config.Family);
        Assert.Equal((64, 4, 2, 6), (config.HeadDim, config.QueryHeads, config.KvHeads, config.LayerCount));
        Assert.True(config.TiedEmbeddings);
        Assert.All(config.LayerWindows, layer => Assert.Equal(window, layer));
        using var file = Engine.Checkpoints.SafeTensors.SafeTensorsFile.Open(Path.Combine(Folder(family), "model.safetensors"));
        foreach (var projection in new[] { "q", "k", "v" })
            Assert.Equal(biases, file.Tensors.ContainsKey($"model.layers.0.self_attn.{projection}_proj.bias"));
    }

    private static string Folder(string family) => Path.Combine(TestData.RepositoryRoot, "models", family);

    private static JsonElement References(string family) =>
        JsonDocument.Parse(File.ReadAllText(TestData.Golden("embedded", family + ".json"))).RootElement;

    private static int[] Ids(JsonElement row, string name) => [.. row.GetProperty(name).EnumerateArray().Select(id => id.GetInt32())];

    private sealed class Loaded : IDisposable
    {
        private readonly CpuBackend _backend = new();
        private readonly TransformerWeights _weights;

        public Loaded(string family)
        {
            using var checkpoint = SafeTensorsCheckpoint.Open(Folder(family));
            _weights = TransformerWeights.Load(_backend, checkpoint, WeightSpec.Full);
            Transformer = new Transformer(_backend, checkpoint.Config, _weights);
        }

        public Transformer Transformer { get; }

        public void Dispose()
        {
            _weights.Dispose();
            _backend.Dispose();
        }
    }
}
