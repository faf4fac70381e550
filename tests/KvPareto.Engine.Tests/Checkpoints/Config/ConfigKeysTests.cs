using System.Text.Json.Nodes;
using KvPareto.Engine.Checkpoints.Config;
using KvPareto.Engine.Model;
using KvPareto.Testing;
using KvPareto.Text.Input;

namespace KvPareto.Engine.Tests.Checkpoints.Config;

/// <summary>The keys that configurations in the wild have (the long lists of factors in them are shortened to ones that say the
/// same).</summary>
public class ConfigKeysTests
{
    public static TheoryData<string> Names { get; } = [.. Published().Select(line => (string)line["name"]!)];

    [Theory]
    [MemberData(nameof(Names))]
    public void NoPublishedConfigIsRefused(string name)
    {
        var config = Config(name);
        using var folder = new ScratchFolder();
        var path = folder.Write("config.json", config.ToJsonString());
        var read = ModelConfigReader.Read(path);
        Assert.Equal(
            ((string)config["model_type"]!, (int)config["hidden_size"]!, (int)config["num_hidden_layers"]!,
                (int)config["num_key_value_heads"]!, (int)config["vocab_size"]!),
            (read.Family, read.HiddenSize, read.LayerCount, read.KvHeads, read.VocabularySize));
        Assert.Equal((bool)config["tie_word_embeddings"]!, read.TiedEmbeddings);
        Assert.Null(AwqConfig.Of(JsonSection.Read(path)));
    }

    [Theory]
    [InlineData("mistral-7b-v0.1", 4096)]
    [InlineData("mistral-7b-instruct-v0.2", 0)]
    [InlineData("qwen2.5-0.5b", 0)]
    [InlineData("deepseek-r1-distill-qwen-7b", 0)]
    [InlineData("phi-3-mini-4k", 2047)]
    [InlineData("smollm3-3b", 0)]
    public void WindowsAreThoseOfThePublishedModel(string name, int window)
    {
        using var folder = new ScratchFolder();
        Assert.All(ModelConfigReader.Read(folder.Write("config.json", Config(name).ToJsonString())).LayerWindows, layer =>
            Assert.Equal(window, layer));
    }

    /// <summary>The same keys with values that would change the mathematics.</summary>
    [Theory]
    [InlineData("phi-4-mini", """{"full_attn_mod":2}""", "key 'full_attn_mod' is 2; it is not known here")]
    [InlineData("phi-4-mini", """{"interpolate_factor":4}""", "key 'interpolate_factor' is 4; it is not known here")]
    [InlineData("phi-4-mini", """{"lm_head_bias":true}""", "key 'lm_head_bias' is true; it is not known here")]
    [InlineData("falcon3-7b", """{"activation":"relu"}""", "key 'activation' is \"relu\"; it is not known here")]
    [InlineData("qwen2.5-0.5b", """{"use_mrope":true}""", "key 'use_mrope' is true; it is not known here")]
    [InlineData("smollm2-135m-instruct", """{"rope_interleaved":true}""", "key 'rope_interleaved' is true; allowed: false")]
    [InlineData("llama-2-7b", """{"rope_scaling_factor":2.0}""", "key 'rope_scaling_factor' is 2.0; it is not known here")]
    [InlineData("llama-2-7b", """{"quantization":{"group_size":64,"bits":4}}""", "key 'quantization' is {\"group_size\":64,\"bits\":4}; it is not known here")]
    public void TheSameKeysMayMatter(string name, string change, string expected)
    {
        var config = Config(name);
        foreach (var (key, value) in JsonNode.Parse(change)!.AsObject().ToList()) config[key] = value?.DeepClone();
        using var folder = new ScratchFolder();
        var path = folder.Write("config.json", config.ToJsonString());
        Assert.StartsWith(
            $"{path}: {expected}", Assert.Throws<ConfigException>(() => ModelConfigReader.Read(path)).Message, StringComparison.Ordinal);
    }

    private static JsonObject Config(string name) =>
        Published().Single(line => (string)line["name"]! == name)["config"]!.DeepClone().AsObject();

    private static IEnumerable<JsonObject> Published() =>
        File.ReadLines(TestData.Golden("published-configs.jsonl")).Select(line => JsonNode.Parse(line)!.AsObject());
}
