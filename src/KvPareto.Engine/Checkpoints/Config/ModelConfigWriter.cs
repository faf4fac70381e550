using System.Text.Json.Nodes;
using KvPareto.Engine.Checkpoints.Gguf;
using KvPareto.Engine.Model;
using KvPareto.Engine.Model.Families;
using KvPareto.Text.Input;

namespace KvPareto.Engine.Checkpoints.Config;

/// <summary>
/// Writes the <c>config.json</c> and <c>generation_config.json</c> of a checkpoint that has none, as <see cref="ModelConfigReader"/> and
/// transformers read them. A sliding window is one of all layers.
/// </summary>
internal static class ModelConfigWriter
{
    /// <summary>What <c>config.json</c> says.</summary>
    /// <exception cref="ConfigException">The checkpoint has rotary frequencies or biases that it has no words for.</exception>
    public static JsonObject Write(Checkpoint checkpoint)
    {
        var config = Described(checkpoint);
        var family = FamilyTable.Of(config.Family);
        var written = new JsonObject
        {
            ["architectures"] = new JsonArray(family.ClassName),
            ["model_type"] = config.Family,
            ["vocab_size"] = config.VocabularySize,
            ["hidden_size"] = config.HiddenSize,
            ["intermediate_size"] = config.FeedForwardSize,
            ["num_hidden_layers"] = config.LayerCount,
            ["num_attention_heads"] = config.QueryHeads,
            ["num_key_value_heads"] = config.KvHeads,
            ["head_dim"] = config.HeadDim,
            ["hidden_act"] = "silu",
            ["rms_norm_eps"] = ConfigNumber.Of(config.NormEpsilon),
            ["max_position_embeddings"] = config.MaxPositions,
        };
        RopeWriter.Write(config.Rope.Form ?? throw UnknownRope(checkpoint), written);
        if (config.Rope.TurnedChannels != config.HeadDim)
            written["partial_rotary_factor"] = ConfigNumber.Of((double)config.Rope.TurnedChannels / config.HeadDim);
        if (family.AttentionBias == BiasRule.ByKey) written["attention_bias"] = config.OutputBias;
        if (family.HasFeedForwardBiasKey) written["mlp_bias"] = config.FeedForwardBias;
        if (family.HasMultipliers) WriteMultipliers(config, written);
        if (family.UnturnedInterval > 0)
            written["no_rope_layers"] =
                new JsonArray(
                [.. Enumerable.Range(0, config.LayerCount).Select(layer => (JsonNode)(config.UnturnedLayers.Contains(layer) ? 0 : 1))]);
        WriteWindow(config, family, written);
        written["tie_word_embeddings"] = config.TiedEmbeddings;
        written["torch_dtype"] = ModelConfigReader.StoredTypes.First(stored => stored.Type == config.StoredType).Word;
        WriteEnds(config, written);
        return written;
    }

    /// <summary>What <c>generation_config.json</c> says.</summary>
    public static JsonObject WriteGeneration(ModelConfig config)
    {
        var written = new JsonObject();
        WriteEnds(config, written);
        return written;
    }

    // The configuration as its words can have it: a window makes a llama a mistral, and biases are what the tensors are.
    private static ModelConfig Described(Checkpoint checkpoint)
    {
        var config = checkpoint.Config;
        var layer = LayerShapes.Of(config, 0);
        if (config.Family == "llama" && config.LayerWindows[0] > 0) config = config with { Family = "mistral" };
        var family = FamilyTable.Of(config.Family);
        var attentionBias = family.AttentionBias == BiasRule.ByKey && checkpoint.Contains(layer.Output.BiasName);
        config = config with
        {
            QkvBias = family.AttentionBias == BiasRule.Always || attentionBias,
            OutputBias = attentionBias,
            FeedForwardBias = family.HasFeedForwardBiasKey && checkpoint.Contains(layer.Down.BiasName),
        };
        foreach (var weight in TransformerShapes.Of(config).Layers.SelectMany(one => one.All)
            .Where(one => one.Role == WeightRole.Projection))
            if (checkpoint.Contains(weight.BiasName) != weight.HasBias)
                throw new ConfigException(
                    $"{checkpoint.Source}: tensor '{weight.BiasName}' is {(weight.HasBias ? "missing" : "there")}, which config.json"
                    + " cannot say; allowed: biases of q, k and v (qwen2), of q, k, v and o (llama, qwen3), of gate, up and down "
                        + "(llama), or none");
        return config;
    }

    private static ConfigException UnknownRope(Checkpoint checkpoint) =>
        new($"{checkpoint.Source}: tensor '{GgufTensorNames.RopeFactors}' has divisors that no rope_type of config.json gives; allowed: "
            + "those of llama3");

    private static void WriteMultipliers(ModelConfig config, JsonObject written)
    {
        written["embedding_multiplier"] = ConfigNumber.Of(config.EmbeddingMultiplier);
        written["residual_multiplier"] = ConfigNumber.Of(config.ResidualMultiplier);
        written["attention_multiplier"] = ConfigNumber.Of(config.Geometry.ScoreScale);
        written["logits_scaling"] = ConfigNumber.Of(config.LogitDivisor);
    }

    private static void WriteWindow(ModelConfig config, Family family, JsonObject written)
    {
        var window = config.LayerWindows[0];
        if (family.Windows == WindowRule.Never) return;
        if (family.Windows != WindowRule.ByKey)
        {
            written["use_sliding_window"] = window > 0;
            if (window > 0) written["max_window_layers"] = 0;
        }
        written["sliding_window"] = window > 0 ? window : null;
    }

    private static void WriteEnds(ModelConfig config, JsonObject written)
    {
        written["bos_token_id"] = config.BosId;
        written["eos_token_id"] = config.EosIds switch
        {
            [] => null,
            [var only] => only,
            _ => new JsonArray([.. config.EosIds.Select(id => (JsonNode)id)]),
        };
    }
}
