using System.Collections.Frozen;
using KvPareto.Engine.Checkpoints.Config;
using KvPareto.Engine.Model.Families;
using KvPareto.Text.Input;

namespace KvPareto.Engine.Checkpoints.Gguf;

/// <summary>
/// The keys of a GGUF file's architecture that are read or change nothing; any other is refused by name, as <see cref="ConfigKeys"/> does.
/// </summary>
internal static class GgufKeys
{
    private static readonly FrozenSet<string> Known = new[]
    {
        "expert_count", "embedding_length", "attention.head_count", "attention.head_count_kv", "attention.key_length",
            "attention.value_length",
        "rope.dimension_count", "block_count", "context_length", "attention.sliding_window", "feed_forward_length",
        "attention.layer_norm_rms_epsilon", "rope.freq_base", "rope.scaling.type", "rope.scaling.factor", "rope.scale_linear",
        "rope.scaling.original_context_length", "rope.scaling.yarn_beta_fast", "rope.scaling.yarn_beta_slow", "rope.scaling.attn_factor",
        "rope.scaling.finetuned", "vocab_size", "tensor_data_layout", "expert_used_count",
    }.ToFrozenSet(StringComparer.Ordinal);

    private static readonly FrozenSet<string> Multipliers =
        new[] { "embedding_scale", "residual_scale", "attention.scale", "logit_scale" }.ToFrozenSet(StringComparer.Ordinal);

    /// <summary>Refuses a file with a key of its architecture that this reader does not know, or that is no model at all.</summary>
    /// <exception cref="ConfigException">Names the first.</exception>
    public static void RefuseUnknown(GgufMetadata metadata, Family family)
    {
        metadata.Word("general.type", ["model"], "model");
        var prefix = family.GgufName + ".";
        foreach (var key in metadata.Keys.Where(key => key.StartsWith(prefix, StringComparison.Ordinal)))
        {
            var name = key[prefix.Length..];
            if (Known.Contains(name) || (family.HasMultipliers && Multipliers.Contains(name)) || metadata.IsNeutral(key)) continue;
            throw metadata.Unknown(key);
        }
    }
}
