using System.Text.Json;
using KvPareto.Engine.Checkpoints.Config;
using KvPareto.Engine.Checkpoints.Gguf;
using KvPareto.Engine.Model;
using KvPareto.Engine.Rotary;
using KvPareto.Engine.Tests.Checkpoints.Gguf;
using KvPareto.Testing;
using KvPareto.Text.Input;

namespace KvPareto.Engine.Tests.Checkpoints.Config;

public sealed class ModelConfigWriterTests : IDisposable
{
    private static readonly RopeTable NoRope = new([]);

    private readonly ScratchFolder _folder = new();

    [Theory]
    [InlineData("llama128-F16", "LlamaForCausalLM")]
    [InlineData("llama128x-Q4_K_M", "LlamaForCausalLM")]
    [InlineData("qwen256-Q4_K_M", "Qwen2ForCausalLM")]
    public void Written_ReadsBackAsTheFileSays(string name, string architecture)
    {
        using var checkpoint = GgufCheckpoint.Open(GgufGolden.PathOf(name + ".gguf"));
        var read = Rewritten(checkpoint);
        AssertEqual(checkpoint.Config, read);
        using var json = JsonDocument.Parse(File.ReadAllText(_folder["config.json"]));
        Assert.Equal(architecture, json.RootElement.GetProperty("architectures")[0].GetString());
    }

    [Fact]
    public void Llama3Scaling_IsSaidInItsWords()
    {
        using var checkpoint = GgufCheckpoint.Open(GgufGolden.PathOf("llama128x-Q4_K_M.gguf"));
        Assert.Equal(
            """{"rope_type":"llama3","factor":8.0,"low_freq_factor":1.0,"high_freq_factor":4.0,"original_max_position_embeddings":128}""",
            ModelConfigWriter.Write(checkpoint)["rope_scaling"]!.ToJsonString());
    }

    [Theory]
    [InlineData("linear", "qwen3")]
    [InlineData("yarn", "qwen2")]
    [InlineData("none", "qwen2")]
    public void Scaling_CarriesOver(string type, string architecture)
    {
        var file = SmallGguf.Of(architecture).Add($"{architecture}.rope.scaling.type", type).Add($"{architecture}.rope.scaling.factor", 4f)
            .Add($"{architecture}.rope.scaling.original_context_length", 40u).Add($"{architecture}.rope.scaling.yarn_beta_fast", 20f)
            .Add($"{architecture}.rope.freq_base", 1e6f).Add($"{architecture}.attention.sliding_window", 24u);
        if (architecture == "qwen2") SmallGguf.AddBiases(file, "attn_q", "attn_k", "attn_v");
        using var checkpoint = GgufCheckpoint.Open(file.Write(_folder["x.gguf"]));
        AssertEqual(checkpoint.Config, Rewritten(checkpoint));
        Assert.Equal([24, 24], checkpoint.Config.LayerWindows);
    }

    /// <summary>llama.cpp knows Mistral as a llama with a window; transformers' llama has none.</summary>
    [Fact]
    public void Window_MakesALlamaAMistral()
    {
        var file = SmallGguf.Of("llama").Add("llama.attention.sliding_window", 7u).Add("tokenizer.ggml.eos_token_id", 3u)
            .Add("tokenizer.ggml.eot_token_id", 5u);
        using var checkpoint = GgufCheckpoint.Open(file.Write(_folder["x.gguf"]));
        var read = Rewritten(checkpoint);
        AssertEqual(checkpoint.Config with { Family = "mistral" }, read);
        Assert.Equal([3, 5], read.EosIds);
        Assert.Null(read.BosId);
        Assert.Equal("""{"bos_token_id":null,"eos_token_id":[3,5]}""", ModelConfigWriter.WriteGeneration(checkpoint.Config).ToJsonString());
    }

    [Fact]
    public void Biases_AreThoseOfTheTensors()
    {
        using var all =
            GgufCheckpoint.Open(
            SmallGguf.AddBiases(SmallGguf.Of("llama"), "attn_q", "attn_k", "attn_v", "attn_output").Write(_folder["all.gguf"]));
        var read = Rewritten(all);
        Assert.Equal((true, true, false), (read.QkvBias, read.OutputBias, read.FeedForwardBias));
        using var some = GgufCheckpoint.Open(SmallGguf.AddBiases(SmallGguf.Of("llama"), "attn_q").Write(_folder["some.gguf"]));
        Assert.Equal(
            $"{_folder["some.gguf"]}: tensor 'model.layers.0.self_attn.q_proj.bias' is there, which config.json cannot say; allowed: "
                + "biases of q, k and v"
                + " (qwen2), of q, k, v and o (llama, qwen3), of gate, up and down (llama), or none",
            Refusal(some));
    }

    [Fact]
    public void RopeFactors_WithoutWords_AreRefused()
    {
        float[] divisors = [1, 2, 3, 4, 5, 6, 7, 8];
        using var checkpoint = GgufCheckpoint.Open(SmallGguf.WithRopeFactors("llama", divisors).Write(_folder["x.gguf"]));
        Assert.Equal(
            $"{_folder["x.gguf"]}: tensor 'rope_freqs.weight' has divisors that no rope_type of config.json gives; allowed: those of llama3", Refusal(checkpoint));
        using var ones = GgufCheckpoint.Open(SmallGguf.WithRopeFactors("llama", [.. divisors.Select(_ => 1f)]).Write(_folder["ones.gguf"]));
        Assert.Null(ModelConfigWriter.Write(ones)["rope_scaling"]);
    }

    public void Dispose() => _folder.Dispose();

    internal static void AssertEqual(ModelConfig expected, ModelConfig actual)
    {
        Assert.Equal(Words(expected), Words(actual));
        Assert.Equal(expected.Rope.AttentionScale, actual.Rope.AttentionScale);
        Assert.Equal(expected.Rope.InverseFrequencies.Length, actual.Rope.InverseFrequencies.Length);
        foreach (var (e, a) in expected.Rope.InverseFrequencies.Zip(actual.Rope.InverseFrequencies))
            Assert.InRange(a / e, 1 - 1e-6, 1 + 1e-6);
    }

    private static string Words(ModelConfig config) => JsonSerializer.Serialize(config with { Rope = NoRope, Quantization = null });

    private static string Refusal(Checkpoint checkpoint) =>
        Assert.Throws<ConfigException>(() => ModelConfigWriter.Write(checkpoint)).Message;

    private ModelConfig Rewritten(Checkpoint checkpoint)
    {
        JsonFile.Write(_folder["config.json"], ModelConfigWriter.Write(checkpoint));
        return ModelConfigReader.Read(_folder["config.json"]);
    }
}
