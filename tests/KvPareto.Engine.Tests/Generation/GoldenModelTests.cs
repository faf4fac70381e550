using KvPareto.Cpu;
using KvPareto.Engine.Cache;
using KvPareto.Engine.Checkpoints.SafeTensors;
using KvPareto.Engine.Generation;
using KvPareto.Engine.Model;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Settings;
using KvPareto.Testing;
using KvPareto.Text.Input;

namespace KvPareto.Engine.Tests.Generation;

/// <summary>Tiny models of all families and kinds of rotary scaling against Hugging Face transformers in f32 (Data/models).</summary>
public class GoldenModelTests
{
    // f32 sums in another order; the cache holds f32 here, so nothing else differs.
    private const double LogitTolerance = 1e-4;

    private static readonly KvSpec F32Cache = new() { Keys = new(32), Values = new(32) };

    private static readonly string[] Models =
        ["llama", "qwen2", "qwen3", "mistral", "granite", "phi3", "phi4mini", "smollm3", "llama-linear", "llama-dynamic", "qwen2-yarn"];

    public static TheoryData<string, int?> Cases() => Chunks(Models);

    // phi3's crosses the length where transformers goes over to other frequencies in the middle.
    public static TheoryData<string, int?> GreedyCases() => Chunks([.. Models.Where(model => model != "phi3")]);

    private static TheoryData<string, int?> Chunks(string[] models)
    {
        var cases = new TheoryData<string, int?>();
        foreach (var model in models)
        {
            foreach (var chunk in new int?[] { null, 1, 7, 64 }) cases.Add(model, chunk);
        }
        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Logits_EqualTransformers(string family, int? chunk)
    {
        var expectedFile = TestData.Golden("models", family, "expected.safetensors");
        var expected = TensorFile.Floats(expectedFile, "logits");
        using var model = new Loaded(family);
        var actual = model.Logits(TensorFile.Ids(expectedFile, "input_ids"), new InferenceSetting { Cache = F32Cache, Chunk = chunk });
        Assert.InRange(RelativeError(expected, actual), 0, LogitTolerance);
    }

    /// <summary>A short run of a model whose frequencies depend on the length has other ones than a long run.</summary>
    [Theory]
    [InlineData("granite")]
    [InlineData("phi3")]
    [InlineData("phi4mini")]
    [InlineData("smollm3")]
    [InlineData("llama-dynamic")]
    public void Logits_OfAShortRun_EqualTransformers(string family)
    {
        var file = TestData.Golden("models", family, "expected.safetensors");
        using var model = new Loaded(family);
        var actual = model.Logits(TensorFile.Ids(file, "input_ids").AsSpan(0, 48).ToArray(), new InferenceSetting { Cache = F32Cache });
        Assert.InRange(RelativeError(TensorFile.Floats(file, "logits_48"), actual), 0, LogitTolerance);
    }

    [Theory]
    [MemberData(nameof(GreedyCases))]
    public void Greedy_EqualsTransformers(string family, int? chunk)
    {
        var expected = TensorFile.Ids(TestData.Golden("models", family, "expected.safetensors"), "greedy");
        using var model = new Loaded(family);
        var setting = new InferenceSetting { Cache = F32Cache, Chunk = chunk };
        var completion = new Generator(model.Transformer, setting).Generate(expected.AsSpan(0, 64), 32);
        Assert.Equal(expected[64..], completion.Ids);
    }

    [Theory]
    [InlineData("llama")]
    [InlineData("qwen2")]
    [InlineData("qwen3")]
    [InlineData("mistral")]
    public void MathKernel_GivesTheSameLogits(string family)
    {
        var ids = TensorFile.Ids(TestData.Golden("models", family, "expected.safetensors"), "input_ids");
        using var model = new Loaded(family);
        var flash = model.Logits(ids, new InferenceSetting { Cache = F32Cache });
        var math = model.Logits(ids, new InferenceSetting { Cache = F32Cache, Attention = AttentionKernel.Math });
        Assert.InRange(RelativeError(flash, math), 0, LogitTolerance);
    }

    /// <summary>Peers whose first forward pass attends over unquantized keys make every likelihood blind to the setting.</summary>
    [Theory]
    [InlineData("w16a16-k2v2-t16")]
    [InlineData("w16a16-k4v4-t16")]
    [InlineData("w16a16-k8v8-t16")]
    [InlineData("w16a16-k2v2-t16-smooth")]
    public void QuantizedCache_MovesEveryLikelihood_OfAPromptFedWhole(string name)
    {
        var ids = TensorFile.Ids(TestData.Golden("models", "mistral", "expected.safetensors"), "input_ids");
        using var model = new Loaded("mistral");
        var exact = model.Logits(ids, new InferenceSetting { Cache = F32Cache });
        var quantized = model.Logits(ids, InferenceSetting.Parse(name));
        var vocabulary = model.Transformer.Config.VocabularySize;
        // The very first token attends to itself alone: its value is coded too.
        for (var t = 0; t < ids.Length; t++)
            Assert.NotEqual(exact.AsSpan(t * vocabulary, vocabulary).ToArray(), quantized.AsSpan(t * vocabulary, vocabulary).ToArray());
    }

    [Fact]
    public void Logits_DoNotDependOnTheNumberOfWorkers()
    {
        var ids = TensorFile.Ids(TestData.Golden("models", "llama", "expected.safetensors"), "input_ids");
        var setting = InferenceSetting.Parse("w16a16-k4v2-t32-smooth-c64");
        using var one = new Loaded("llama", workers: 1);
        using var three = new Loaded("llama", workers: 3);
        Assert.Equal(one.Logits(ids, setting), three.Logits(ids, setting));
    }

    [Fact]
    public void Peaks_AreThoseOfEachPhase()
    {
        using var model = new Loaded("llama");
        var completion = new Generator(model.Transformer, InferenceSetting.Parse("w16a16-k4v4-t32"))
            .Generate(Enumerable.Range(3, 200).ToArray(), 8);
        var (prefill, decode) = (completion.Peaks.Prefill, completion.Peaks.Decode);
        Assert.Equal(model.Transformer.Backend.Memory.Live.Weights, prefill.Weights);
        Assert.Equal(prefill.KvCache, decode.KvCache);
        Assert.True(prefill.Activations > 50 * decode.Activations, $"{prefill} {decode}");
    }

    [Fact]
    public void Generate_RefusesIdsOutsideTheVocabulary()
    {
        using var model = new Loaded("llama");
        var generator = new Generator(model.Transformer, new InferenceSetting());
        Assert.Throws<ConfigException>(() => generator.Generate([1, 512], 4));
        Assert.Throws<ConfigException>(() => generator.Generate([-1], 4));
        Assert.Throws<ConfigException>(() => generator.Generate([], 4));
        Assert.Equal(0, model.Transformer.Backend.Memory.Live.KvCache);
    }

    private static double RelativeError(float[] expected, float[] actual)
    {
        var (difference, norm) = (0.0, 0.0);
        for (var i = 0; i < expected.Length; i++)
        {
            difference += Math.Pow(expected[i] - actual[i], 2);
            norm += Math.Pow(expected[i], 2);
        }
        return Math.Sqrt(difference / norm);
    }

    private sealed class Loaded : IDisposable
    {
        private readonly CpuBackend _backend;
        private readonly TransformerWeights _weights;

        public Loaded(string family, int? workers = null)
        {
            _backend = new CpuBackend(workers);
            using var checkpoint = SafeTensorsCheckpoint.Open(TestData.Golden("models", family));
            _weights = TransformerWeights.Load(_backend, checkpoint, WeightSpec.Full);
            Transformer = new Transformer(_backend, checkpoint.Config, _weights);
        }

        public Transformer Transformer { get; }

        public float[] Logits(int[] ids, InferenceSetting setting) => AllLogits.Of(Transformer, setting, ids);

        public void Dispose()
        {
            _weights.Dispose();
            _backend.Dispose();
        }
    }
}
