using System.Text.Json;
using KvPareto.Cpu;
using KvPareto.Engine.Cache;
using KvPareto.Engine.Checkpoints.Gguf;
using KvPareto.Engine.Generation;
using KvPareto.Engine.Memory;
using KvPareto.Engine.Model;
using KvPareto.Engine.Settings;
using KvPareto.Engine.Tests.Checkpoints.Gguf;
using KvPareto.Engine.Weights;
using KvPareto.Testing;
using KvPareto.Text.Templates;

namespace KvPareto.Engine.Tests.Generation;

/// <summary>Models in GGUF files against transformers on the dequantized weights, in f32.</summary>
public class GgufModelTests
{
    // f32 sums in another order. llama.cpp on its own F32 dequantization is 5e-6 away; a wrong epsilon of the norms 1.5e-3.
    private const double LogitTolerance = 1e-4;

    private static readonly KvSpec F32Cache = new() { Keys = new(32), Values = new(32) };

    public static TheoryData<string> Models => GgufGolden.Models;

    [Theory]
    [MemberData(nameof(Models))]
    public void Logits_EqualTransformers(string name)
    {
        var expectedFile = GgufGolden.PathOf(name + ".safetensors");
        var ids = TensorFile.Ids(expectedFile, "input_ids");
        var expected = TensorFile.Floats(expectedFile, "logits");
        using var backend = new CpuBackend();
        foreach (var chunk in new int?[] { null, 1, 7 })
        {
            var actual =
                Logits(backend, GgufGolden.PathOf(name + ".gguf"), WeightSpec.Full,
                new InferenceSetting { Cache = F32Cache, Chunk = chunk }, ids);
            var worst = expected.Zip(actual, (e, a) => Math.Abs(e - a)).Max();
            Assert.InRange(worst, 0, LogitTolerance);
        }
    }

    [Fact]
    public void Weights_StayPackedAndAreCounted()
    {
        using var backend = new CpuBackend();
        using var checkpoint = GgufCheckpoint.Open(GgufGolden.PathOf("llama256-Q6_K.gguf"));
        using var weights = TransformerWeights.Load(backend, checkpoint, WeightSpec.Full);
        Assert.Equal(checkpoint.Names.Sum(tensor => checkpoint.Get(tensor).ByteCount), weights.ByteCount);
        Assert.Equal(weights.ByteCount, backend.Memory.Live.Weights);
        Assert.Equal(WeightFormat.Q6K, weights.Layers[0].Query.Format);
        var largest = checkpoint.Names.Max(tensor => checkpoint.Stored(tensor).WholeBytes);
        Assert.InRange(backend.Memory.Peaks.Load.Total, backend.Memory.Live.Total, backend.Memory.Live.Total + largest);
    }

    /// <summary>Blocks that are coded a second time go through the values they stand for: 4 bits on top of 6 move logits a
    /// little.</summary>
    [Fact]
    public void Weights_CanBeCodedAgain()
    {
        var ids = TensorFile.Ids(GgufGolden.PathOf("llama256-Q6_K.safetensors"), "input_ids");
        using var backend = new CpuBackend();
        var setting = new InferenceSetting { Cache = F32Cache };
        var full = Logits(backend, GgufGolden.PathOf("llama256-Q6_K.gguf"), WeightSpec.Full, setting, ids);
        var coded = Logits(backend, GgufGolden.PathOf("llama256-Q6_K.gguf"), new WeightSpec(4, 32), setting, ids);
        var error = Math.Sqrt(full.Zip(coded, (a, b) => Math.Pow(a - b, 2)).Sum() / full.Sum(a => Math.Pow(a, 2)));
        Assert.InRange(error, 1e-3, 0.5);
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Peaks_ArePredicted(string name)
    {
        using var checkpoint = GgufCheckpoint.Open(GgufGolden.PathOf(name + ".gguf"));
        foreach (var setting in new[] { "w16a16-k16v16-c16", "w4g32a16-e8-k4v4-t32" }.Select(InferenceSetting.Parse))
        {
            using var backend = new CpuBackend(2);
            var predicted = new MemoryModel(backend.Layout, checkpoint).Predict(setting, 40, 3);
            using var weights = TransformerWeights.Load(backend, checkpoint, setting.Weights);
            var transformer = new Transformer(backend, checkpoint.Config, weights);
            var measured = new Generator(transformer, setting).Generate(SyntheticPrompt.Ids(40, checkpoint.Config.VocabularySize), 3).Peaks;
            Assert.Equal(predicted, measured);
        }
    }

    /// <summary>
    /// The folder's tensors are the GGUF file's rounded to bf16: prompts are the same, and greedy output is wherever transformers'
    /// own best two logits lie further apart than such rounding can move them.
    /// </summary>
    [Fact]
    public void SmolLm2_GivesTheOutputOfItsFolder()
    {
        var folder = TestData.SmolLm2OrSkip();
        var file = folder + ".Q4_1.gguf";
        if (!File.Exists(file)) Assert.Skip("needs the GGUF file beside KVPARETO_SMOLLM2");
        using var backend = new CpuBackend();
        using var original = LanguageModel.Load(backend, folder, WeightSpec.Full);
        using var packed = LanguageModel.Load(backend, file, WeightSpec.Full);
        var setting = new InferenceSetting { Cache = F32Cache, Chunk = 256 };
        var compared = 0;
        foreach (var row in File.ReadLines(TestData.Golden("smollm2", "generations.jsonl"))
            .Select(line => JsonDocument.Parse(line).RootElement))
        {
            if (row.GetProperty("kind").GetString() != "short") continue;
            ChatMessage[] messages = [new("user", row.GetProperty("message").GetString()!)];
            var prompt = packed.Tokenizer.Encode(packed.ChatTemplate!.Render(messages), addSpecialTokens: false);
            Assert.Equal(original.Tokenizer.Encode(original.ChatTemplate!.Render(messages), addSpecialTokens: false), prompt);
            if (row.GetProperty("min_margin").GetDouble() < 0.03) continue;
            var ids = new Generator(packed.Transformer, setting).Generate(prompt, 64).Ids;
            Assert.Equal(new Generator(original.Transformer, setting).Generate(prompt, 64).Ids, ids);
            compared++;
        }
        Assert.True(compared >= 3, $"only {compared} rows were compared");
        Assert.True(packed.WeightBytes < original.WeightBytes * 0.4, $"{packed.WeightBytes} of {original.WeightBytes} bytes");
    }

    private static float[] Logits(CpuBackend backend, string path, WeightSpec spec, InferenceSetting setting, int[] ids)
    {
        using var checkpoint = GgufCheckpoint.Open(path);
        using var weights = TransformerWeights.Load(backend, checkpoint, spec);
        return AllLogits.Of(new Transformer(backend, checkpoint.Config, weights), setting, ids);
    }
}
