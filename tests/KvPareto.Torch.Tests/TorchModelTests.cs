using KvPareto.Cpu;
using KvPareto.Engine.Checkpoints.Sources;
using KvPareto.Engine.Generation;
using KvPareto.Engine.Memory;
using KvPareto.Engine.Model;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Settings;
using KvPareto.Testing;

namespace KvPareto.Torch.Tests;

/// <summary>Whole models: against the reference library's logits, and against the processor's own backend. Alone: on a GPU their steps
/// are captured, and what other tests ask of the device meanwhile can spoil a capture.</summary>
[CollectionDefinition(nameof(TorchModelTests), DisableParallelization = true)]
[Collection(nameof(TorchModelTests))]
public class TorchModelTests
{
    private const double F32Tolerance = 1e-4; // sums in another order
    private const double HalfTolerance = 2e-3; // block formats are widened to f16
    private const double Bf16Tolerance = 0.04;
    private const double CodedTolerance = 0.2; // a code on the edge of two falls to the other side

    [Theory]
    [InlineData("llama")]
    [InlineData("mistral")]
    [InlineData("qwen2")]
    [InlineData("qwen3")]
    public void Logits_AreTheReferences(string family)
    {
        using var backend = TorchLibraryOrSkip.Backend();
        var file = TestData.Golden("models", family, "expected.safetensors");
        var expected = TensorFile.Floats(file, "logits");
        foreach (var setting in new[] { "w16a16-k32v32", "w16a16-k32v32-c1", "w16a16-k32v32-c7", "w16a16-k32v32-c64-math" })
            AssertClose(expected, Logits(backend, TestData.Golden("models", family), setting, TensorFile.Ids(file, "input_ids")),
                F32Tolerance);
    }

    [Theory]
    [InlineData("llama", "w4g32a16-k16v16")]
    [InlineData("qwen2", "w8g32a16-e8-k16v16-c5")]
    [InlineData("mistral", "w16g32a16-e4-k16v16-c64")]
    [InlineData("llama", "w16a16-k4v4-t16-smooth-c64")]
    [InlineData("qwen2", "w16a16-k8v4-kch32-vt16-prebias-c50")]
    [InlineData("qwen3", "w16a16-k8v8-b16-rotkv-sink4-recent8-c33")]
    [InlineData("llama", "w16a16-k4v8-pow2-clip90-edge1-c20")]
    [InlineData("mistral", "w16a16-k8v4-tensor-c40")]
    public void Logits_AreTheCpus(string family, string setting)
    {
        using var backend = TorchLibraryOrSkip.Backend();
        using var cpu = new CpuBackend();
        var (folder, ids) =
            (TestData.Golden("models", family), TensorFile.Ids(TestData.Golden("models", family, "expected.safetensors"), "input_ids"));
        AssertClose(Logits(cpu, folder, setting, ids), Logits(backend, folder, setting, ids),
            setting.Contains("k16", StringComparison.Ordinal) ? F32Tolerance : CodedTolerance);
    }

    [Theory]
    [InlineData("llama-g128")]
    [InlineData("qwen2-g64")]
    public void Awq_LogitsAreThoseOfTheDequantizedModel(string model)
    {
        using var backend = TorchLibraryOrSkip.Backend();
        var file = TestData.Golden("awq", model, "expected.safetensors");
        var (ids, expected) = (TensorFile.Ids(file, "input_ids"), TensorFile.Floats(file, "logits"));
        float[] actual = [.. ids.Chunk(24).SelectMany(text => Logits(backend, TestData.Golden("awq", model), "w16a16-k32v32-c7", text))];
        AssertClose(expected, actual, F32Tolerance);
    }

    [Theory]
    [InlineData("llama128-F16", F32Tolerance)]
    [InlineData("llama128-Q8_0", HalfTolerance)]
    [InlineData("llama256-Q4_K_M", HalfTolerance)]
    [InlineData("llama256-Q6_K", HalfTolerance)]
    [InlineData("qwen256-Q4_K_M", HalfTolerance)]
    public void Gguf_LogitsAreTheReferences(string model, double tolerance)
    {
        using var backend = TorchLibraryOrSkip.Backend();
        var file = TestData.Golden("gguf", model + ".safetensors");
        AssertClose(TensorFile.Floats(file, "logits"),
            Logits(backend, TestData.Golden("gguf", model + ".gguf"), "w16a16-k32v32", TensorFile.Ids(file, "input_ids")), tolerance);
    }

    /// <summary>Weights, cache and activations are counted as predicted; the rest is measured, and known only to be there.</summary>
    [Theory]
    [InlineData("llama", "w16a16-k16v16-c64", 100, 5)]
    [InlineData("qwen2", "w4g32a16-e8-k2v2-t16-prebias-math", 77, 4)]
    [InlineData("mistral", "w8g32a16-k8v8-kch32-vb16-sink4-recent20-edge1", 90, 1)]
    public void Peaks_AreMeasured(string family, string name, int prompt, int newTokens)
    {
        using var backend = TorchLibraryOrSkip.Backend();
        var setting = InferenceSetting.Parse(name);
        using var checkpoint = ModelSource.Open(TestData.Golden("models", family)).OpenCheckpoint();
        var predicted = new MemoryModel(backend.Layout, checkpoint).Predict(setting, prompt, newTokens);
        using var weights = TransformerWeights.Load(backend, checkpoint, setting.Weights);
        var generator = new Generator(new Transformer(backend, checkpoint.Config with { EosIds = [] }, weights), setting);
        var peaks = generator.Generate(SyntheticPrompt.Ids(prompt, checkpoint.Config.VocabularySize), newTokens).Peaks;
        Assert.Equal(TorchLibraryOrSkip.IsGpu ? PeakKind.Pool : PeakKind.Process, peaks.Kind);
        foreach (var (was, measured) in new[] { (predicted.Prefill, peaks.Prefill), (predicted.Decode, peaks.Decode) })
        {
            Assert.Equal((was.Weights, was.KvCache, was.Activations), (measured.Weights, measured.KvCache, measured.Activations));
            Assert.InRange(measured.Workspace, 0, 4L << 30);
        }
    }

    /// <summary>
    /// Chunks and tokens of two sequences, which a CUDA device keeps as graphs from the fifth on, against the same ones launched anew each
    /// time.
    /// </summary>
    [Theory]
    [InlineData("w16a16-k16v16")]
    [InlineData("w4g32a16-e8-k4v4-t32")]
    [InlineData("w16a16-k8v8-t64-smooth-sink4-recent8")]
    public void RepeatedSteps_AreEachByItself(string name)
    {
        const int Chunk = 24, Chunks = 8, Tokens = 12, Capacity = Chunk * Chunks + Tokens;
        using var backend = TorchLibraryOrSkip.Backend();
        using var folder = new ScratchFolder();
        folder.Write("config.json", File.ReadAllText(Path.Combine(TestData.Golden("models", "llama"), "config.json"))
            .Replace("\"head_dim\": 32", "\"head_dim\": 64", StringComparison.Ordinal));
        using var checkpoint = ModelSource.Open($"random:3:{folder.Root}").OpenCheckpoint();
        var setting = InferenceSetting.Parse(name);
        using var weights = TransformerWeights.Load(backend, checkpoint, setting.Weights);
        var transformer = new Transformer(backend, checkpoint.Config, weights);
        var geometry = transformer.Geometry(Capacity);
        using var workspace = backend.CreateWorkspace(new WorkspaceShape(Chunk, Capacity, geometry, setting.Attention));
        var tensors = Enumerable.Range(0, 2).Select(_ => new TransformerActivations(backend, checkpoint.Config, Chunk)).ToArray();
        float[][] Run(bool alternates)
        {
            using var cache = backend.CreateCache(geometry, setting.Cache, Capacity);
            var results = new List<float[]>();
            while (cache.Length < Capacity)
            {
                var ids = Enumerable.Range(cache.Length, cache.Length < Chunk * Chunks ? Chunk : 1).ToArray();
                var hidden = transformer.Forward(backend.Begin(workspace, ids, ids, cache), tensors[alternates ? results.Count % 2 : 0]);
                var values = new float[ids.Length * checkpoint.Config.HiddenSize];
                backend.Read(hidden, values);
                results.Add(values);
            }
            return [.. results];
        }
        var expected = Run(alternates: true);
        Assert.Equal(Chunks + Tokens, expected.Length);
        Assert.All(expected[1..], (values, i) => Assert.NotEqual(expected[i], values));
        for (var i = 0; i < 2; i++) Assert.Equal(expected, Run(alternates: false));
        foreach (var tensor in tensors) tensor.Dispose();
    }

    private static float[] Logits(Backend backend, string model, string setting, int[] ids)
    {
        var parsed = InferenceSetting.Parse(setting);
        using var checkpoint = ModelSource.Open(model).OpenCheckpoint();
        using var weights = TransformerWeights.Load(backend, checkpoint, parsed.Weights);
        return AllLogits.Of(new Transformer(backend, checkpoint.Config, weights), parsed, ids);
    }

    private static void AssertClose(float[] expected, float[] actual, double tolerance)
    {
        if (TorchLibraryOrSkip.IsGpu) tolerance = Math.Max(tolerance, Bf16Tolerance);
        Assert.Equal(expected.Length, actual.Length);
        var (difference, norm) = (0.0, 0.0);
        for (var i = 0; i < expected.Length; i++)
        {
            difference += Math.Pow(expected[i] - actual[i], 2);
            norm += Math.Pow(expected[i], 2);
        }
        Assert.InRange(Math.Sqrt(difference / norm), 0, tolerance);
    }
}
