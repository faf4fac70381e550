using System.Text;
using System.Text.Json.Nodes;
using KvPareto.Engine.Checkpoints.Config;

namespace Fuzz;

/// <summary>Files <c>config.json</c> with keys of all families, few of them sensible.</summary>
internal sealed class ConfigFiles : HostileKind
{
    private static readonly string[] Keys =
    [
        "hidden_size", "intermediate_size", "num_attention_heads", "num_key_value_heads", "num_hidden_layers", "head_dim", "vocab_size",
            "max_position_embeddings", "rms_norm_eps",
        "rope_theta", "rope_scaling", "rope_parameters", "tie_word_embeddings", "attention_bias", "mlp_bias", "sliding_window",
            "use_sliding_window", "max_window_layers", "layer_types",
        "no_rope_layers", "no_rope_layer_interval", "embedding_multiplier", "residual_multiplier", "attention_multiplier", "logits_scaling",
            "partial_rotary_factor",
        "original_max_position_embeddings", "bos_token_id", "eos_token_id", "hidden_act", "dtype", "quantization_config",
            "final_logit_softcapping",
    ];

    private static readonly string[] RopeKeys =
    [
        "factor", "original_max_position_embeddings", "low_freq_factor", "high_freq_factor", "beta_fast", "beta_slow", "attention_factor",
            "mscale", "mscale_all_dim", "short_factor",
        "long_factor", "partial_rotary_factor", "rope_theta", "alpha",
    ];

    public override string Name => "configs";

    public override void Run(Random random, string folder)
    {
        var config = ModelFiles.Config(random);
        for (var left = random.Next(5); left > 0; left--) config[Pick<string>(random, Keys)] = Value(random, 0);
        if (Rarely(random, 2)) config[Pick(random, "rope_scaling", "rope_parameters")] = Rope(random);
        var bytes = Encoding.UTF8.GetBytes(config.ToJsonString());
        var path = Path.Combine(folder, "config.json");
        File.WriteAllBytes(path, Rarely(random, 3) ? ModelFiles.Damaged(random, bytes) : bytes);
        var read = ModelConfigReader.Read(path);
        read.Rope.For(read.MaxPositions);
        if (read.Rope.InverseFrequencies.Length == 0 || read.Geometry.LayerCount != read.LayerCount)
            throw new InvalidOperationException("a configuration without frequencies or layers");
    }

    private static JsonObject Rope(Random random)
    {
        var rope = new JsonObject { [Pick(random, "rope_type", "type")] = Pick(
            random, "default", "linear", "dynamic", "llama3", "yarn", "longrope", "su", "mrope") };
        if (!Rarely(random, 4)) rope["factor"] = 4.0;
        if (Rarely(random, 2)) (rope["short_factor"], rope["long_factor"]) = (Factors(random), Factors(random));
        if (Rarely(random, 2)) (rope["low_freq_factor"], rope["high_freq_factor"]) = (1.0, 4.0);
        for (var left = random.Next(3); left > 0; left--) rope[Pick<string>(random, RopeKeys)] = Value(random, 1);
        return rope;
    }

    private static JsonArray Factors(Random random) =>
        new([.. Enumerable.Range(0, Rarely(random, 4) ? random.Next(40) : 8).Select(i => (JsonNode)(1.0 + i))]);

    private static JsonNode? Value(Random random, int depth) => random.Next(9) switch
    {
        0 => ModelFiles.Number(random),
        1 => Math.Pow(10, random.Next(-320, 308)) * (Rarely(random, 2) ? -1 : 1),
        2 => Rarely(random, 2),
        3 => null,
        4 => Pick(random, "", "silu", "sliding_attention", "float32", "\ud800", "1"),
        5 => new JsonArray([.. Enumerable.Range(0, random.Next(4)).Select(_ => depth < 3 ? Value(random, depth + 1) : null)]),
        6 => new JsonArray([.. Enumerable.Range(0, 2).Select(_ => (JsonNode)random.Next(3))]),
        7 => depth < 3 ? new JsonObject { [Pick<string>(random, RopeKeys)] = Value(random, depth + 1) } : 1,
        _ => random.Next(2, 64),
    };
}
