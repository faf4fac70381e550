using System.Text.Json.Nodes;
using KvPareto.Engine.Checkpoints;
using KvPareto.Engine.Checkpoints.Config;
using KvPareto.Engine.Model;
using KvPareto.Testing;
using KvPareto.Text.Input;

namespace KvPareto.Engine.Tests.Checkpoints;

public sealed class SurplusTensorsTests : IDisposable
{
    private readonly ScratchFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("model.layers.1.self_attn.o_proj.bias")] // used wherever it is there
    [InlineData("model.layers.1.self_attn.rotary_emb.inv_freq")]
    [InlineData("model.rotary_emb.inv_freq")]
    [InlineData("lm_head.weight")]
    [InlineData("vision_tower.layers.0.norm.weight")]
    public void WhatBearsOnNothing_Passes(string name) =>
        Assert.Null(Record.Exception(() => SurplusTensors.Refuse("x", Config(), [name])));

    [Theory]
    [InlineData("model.layers.0.input_layernorm.bias")]
    [InlineData("model.layers.1.post_feedforward_layernorm.weight")]
    [InlineData("model.layers.0.self_attn.q_norm.weight")]
    [InlineData("model.layers.0.self_attn.q_proj.lora_A.weight")]
    [InlineData("model.layers.0.self_attn.q_proj.weight_scale")]
    [InlineData("model.layers.0.mlp.gate_proj.qweight")] // packed, and the configuration says it is plain
    public void AnotherArchitecturesWeight_IsRefusedByName(string name)
    {
        var error = Assert.Throws<ConfigException>(() => SurplusTensors.Refuse("x", Config(), [name]));
        Assert.StartsWith($"x: tensor '{name}' has no place in a layer of llama", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void PackedLayers_HavePackedTensors_AndNothingElse()
    {
        var awq = JsonNode.Parse("""{"quant_method":"awq","bits":4,"group_size":32,"zero_point":true,"version":"gemm"}""");
        var config = Config(new() { ["quantization_config"] = awq });
        SurplusTensors.Refuse("x", config, ["model.layers.0.mlp.gate_proj.qweight", "model.layers.0.mlp.gate_proj.qzeros",
            "model.layers.0.mlp.gate_proj.scales", "model.layers.0.mlp.gate_proj.bias", "model.layers.0.input_layernorm.weight"]);
        var error = Assert.Throws<ConfigException>(() => SurplusTensors.Refuse("x", config, ["model.layers.0.mlp.gate_proj.g_idx"]));
        Assert.Contains("mlp.gate_proj.g_idx' has no place", error.Message, StringComparison.Ordinal);
    }

    private ModelConfig Config(Dictionary<string, JsonNode?>? overrides = null)
    {
        new TinyModel { Overrides = overrides ?? [] }.Write(_folder.Root);
        return ModelConfigReader.Read(_folder["config.json"]);
    }
}
