using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using KvPareto.Cpu;
using KvPareto.Engine.Checkpoints.SafeTensors;
using KvPareto.Engine.Model;
using KvPareto.Testing;
using KvPareto.Text.Input;

namespace KvPareto.Engine.Tests.Checkpoints.SafeTensors;

public partial class SafeTensorsCheckpointTests
{
    private const string Index = "model.safetensors.index.json";

    /// <summary>A mapped file that is cut ends the process.</summary>
    [Theory]
    [InlineData(100)]
    [InlineData(60_000)]
    public void AFileThatIsCutWhileItIsLoaded_IsAMessage(long length)
    {
        using var folder = new ScratchFolder();
        using var backend = new CpuBackend(1);
        var before = backend.Memory.Live;
        using var checkpoint = SafeTensorsCheckpoint.Open(new TinyModel().Write(folder.Root));
        using (var file = File.OpenHandle(folder["model.safetensors"], FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
            RandomAccess.SetLength(file, length);
        var error = Assert.Throws<ConfigException>(() => TransformerWeights.Load(backend, checkpoint, WeightSpec.Full));
        Assert.Contains("when it was opened, and was cut while being read", error.Message, StringComparison.Ordinal);
        Assert.Equal(before, backend.Memory.Live);
    }

    [Fact]
    public void Open_ReadsShardsAsASingleFile()
    {
        using var folder = new ScratchFolder();
        using var single = SafeTensorsCheckpoint.Open(new TinyModel().Write(folder["single"]));
        using var sharded = SafeTensorsCheckpoint.Open(new TinyModel { Shards = 3 }.Write(folder["sharded"]));
        Assert.Equal(3, Directory.GetFiles(folder["sharded"], "*.safetensors").Length);
        Assert.Equal(single.Names.Order(), sharded.Names.Order());
        Assert.Equal(21, single.Names.Count);
        foreach (var name in single.Names) Assert.Equal(single.Get(name).Bytes, sharded.Get(name).Bytes);
        Assert.EndsWith(Index, sharded.Source, StringComparison.Ordinal);
    }

    /// <summary>Its last layers would be left out, and every figure be another model's.</summary>
    [Fact]
    public void Open_RefusesMoreLayersThanTheConfigurationHas()
    {
        using var folder = new ScratchFolder();
        var model = new TinyModel();
        model.Write(folder.Root);
        var config = File.ReadAllText(folder["config.json"]);
        Assert.Equal(2, model.Layers);
        File.WriteAllText(folder["config.json"], LayerCount().Replace(config, "$1 1"));
        var error = Assert.Throws<ConfigException>(() => SafeTensorsCheckpoint.Open(folder.Root));
        Assert.Contains(
            "' is of layer 1, counted from 0; the configuration has 1 layer", error.Message, StringComparison.Ordinal);
    }

    /// <summary>Queries and keys would go without their norm.</summary>
    [Fact]
    public void Open_RefusesWeightsThatTheArchitectureHasNoPlaceFor()
    {
        using var folder = new ScratchFolder();
        new TinyModel { Family = "qwen3", Overrides = new Dictionary<string, JsonNode?> { ["model_type"] = "llama" } }.Write(folder.Root);
        var error = Assert.Throws<ConfigException>(() => SafeTensorsCheckpoint.Open(folder.Root));
        Assert.Matches(
            @"tensor 'model\.layers\.\d\.self_attn\.[qk]_norm\.weight' has no place in a layer of llama as its configuration says it is",
            error.Message);
    }

    [Theory]
    [InlineData("../model.safetensors")]
    [InlineData("/etc/model.safetensors")]
    [InlineData("..\\\\model.safetensors")]
    [InlineData("config.json")]
    [InlineData("")]
    public void Open_RefusesShardsElsewhere(string shard)
    {
        var message = RefusalOfIndex($$"""{"weight_map":{"model.norm.weight":"{{shard}}"} }""");
        Assert.Contains("'model.norm.weight' names the file", message, StringComparison.Ordinal);
        Assert.Contains("allowed: a *.safetensors file name without folders", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"weight_map":{"a":"absent.safetensors"} }""", "'a' is said to be in absent.safetensors, which is not there")]
    [InlineData("""{"weight_map":{"a":"model-00001-of-00002.safetensors"} }""", "00002.safetensors, which does not have it")]
    [InlineData("""{"weight_map":{"a":1} }""", "key 'weight_map.a' is 1; allowed: a string")]
    [InlineData("""{"weight_map":[] }""", "key 'weight_map' is []; allowed: an object")]
    [InlineData("""{"weight_map":{"a":"x","a":"x"} }""", "is not valid JSON")]
    [InlineData("""{}""", "key 'weight_map' is missing")]
    [InlineData("""[]""", "is a JSON array")]
    [InlineData("", "is not valid JSON")]
    [InlineData("""{"weight_map":{"\ud800":"x.safetensors"} }""", "is not valid")]
    public void Open_RefusesDamagedIndexes(string index, string expected) =>
        Assert.Contains(expected, RefusalOfIndex(index), StringComparison.Ordinal);

    [Fact]
    public void Open_RefusesFoldersWithoutWhatItNeeds()
    {
        using var folder = new ScratchFolder();
        Assert.Contains("no such folder", Refusal(folder["absent"]), StringComparison.Ordinal);
        Assert.Contains("config.json: no such file", Refusal(folder.Root), StringComparison.Ordinal);
        folder.Write("config.json", new TinyModel().Config().ToJsonString());
        Assert.Contains($"has no weights; allowed: model.safetensors, or {Index}", Refusal(folder.Root), StringComparison.Ordinal);
    }

    [Fact]
    public void Get_NamesFileAndTensor()
    {
        using var checkpoint = SafeTensorsCheckpoint.Open(TestData.Golden("models", "qwen2"));
        Assert.False(checkpoint.Contains("lm_head.weight"));
        var error = Assert.Throws<ConfigException>(() => checkpoint.Get("lm_head.weight"));
        Assert.Equal($"{checkpoint.Source}: tensor 'lm_head.weight' is missing", error.Message);
    }

    private static string RefusalOfIndex(string index)
    {
        using var folder = new ScratchFolder();
        var model = new TinyModel { Shards = 2 }.Write(folder.Root);
        folder.Write(Index, index);
        return Refusal(model);
    }

    private static string Refusal(string folder)
    {
        var error = Assert.Throws<ConfigException>(() => SafeTensorsCheckpoint.Open(folder).Dispose());
        Assert.DoesNotContain('\n', error.Message);
        Assert.StartsWith(folder, error.Message, StringComparison.Ordinal);
        return error.Message;
    }

    [GeneratedRegex("(\"num_hidden_layers\":) *2")]
    private static partial Regex LayerCount();
}
