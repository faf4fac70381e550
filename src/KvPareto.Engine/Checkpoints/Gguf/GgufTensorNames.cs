using System.Globalization;
using KvPareto.Engine.Model.Families;

namespace KvPareto.Engine.Checkpoints.Gguf;

/// <summary>GGUF's names of a decoder's tensors (<c>gguf-py/gguf/constants.py</c>) as Hugging Face's.</summary>
internal static class GgufTensorNames
{
    /// <summary>The factors that divide the rotary frequencies; no tensor of the model.</summary>
    public const string RopeFactors = "rope_freqs.weight";

    /// <summary>Divisors of the frequencies of runs up to the original positions.</summary>
    public const string ShortRopeFactors = "rope_factors_short.weight";

    /// <summary>Divisors of the frequencies of longer runs.</summary>
    public const string LongRopeFactors = "rope_factors_long.weight";

    private const string LayerPrefix = "blk.";
    private const string RotaryBuffer = ".attn_rot_embd.weight"; // follows from the metadata; llama.cpp passes over it too
    private static readonly string[] Suffixes = [".weight", ".bias"];

    private static readonly Dictionary<string, string> Model = new(StringComparer.Ordinal)
    {
        ["token_embd"] = "model.embed_tokens",
        ["output_norm"] = "model.norm",
        ["output"] = "lm_head",
    };

    private static readonly Dictionary<string, string> Layer = new(StringComparer.Ordinal)
    {
        ["attn_norm"] = "input_layernorm",
        ["attn_q"] = "self_attn.q_proj",
        ["attn_k"] = "self_attn.k_proj",
        ["attn_v"] = "self_attn.v_proj",
        ["attn_output"] = "self_attn.o_proj",
        ["attn_q_norm"] = "self_attn.q_norm",
        ["attn_k_norm"] = "self_attn.k_norm",
        ["ffn_norm"] = "post_attention_layernorm",
        ["ffn_gate"] = "mlp.gate_proj",
        ["ffn_up"] = "mlp.up_proj",
        ["ffn_down"] = "mlp.down_proj",
    };

    /// <summary>Hugging Face's name, for example <c>model.layers.3.self_attn.q_proj.weight</c> of <c>blk.3.attn_q.weight</c>; null where
    /// there is none.</summary>
    public static string? ToHuggingFace(string name, Family family)
    {
        var dot = name.LastIndexOf('.');
        if (dot < 0 || !Suffixes.Contains(name[dot..])) return null;
        var (stem, suffix) = (name[..dot], name[dot..]);
        if (Model.TryGetValue(stem, out var found)) return found + suffix;
        if (!stem.StartsWith(LayerPrefix, StringComparison.Ordinal)) return null;
        var part = stem.IndexOf('.', LayerPrefix.Length);
        return part > 0
            && int.TryParse(stem.AsSpan(LayerPrefix.Length..part), NumberStyles.None, CultureInfo.InvariantCulture, out var layer)
            && (family.GgufNames.TryGetValue(stem[(part + 1)..], out found) || Layer.TryGetValue(stem[(part + 1)..], out found))
                ? string.Create(CultureInfo.InvariantCulture, $"model.layers.{layer}.{found}{suffix}")
                : null;
    }

    /// <summary>The other way, for messages; a name that has none in GGUF stays itself.</summary>
    public static string OfHuggingFace(string name, Family family)
    {
        var names =
            from own in Model.Keys.Concat(family.GgufNames.Keys.Concat(Layer.Keys).Select(part => $"{LayerPrefix}{LayerOf(name)}.{part}"))
            from suffix in Suffixes
            where ToHuggingFace(own + suffix, family) == name
            select own + suffix;
        return names.FirstOrDefault(name);
    }

    /// <summary>True of a layer's own tensor, whether it has a name of Hugging Face's or not.</summary>
    public static bool IsOfALayer(string name) =>
        name.StartsWith(LayerPrefix, StringComparison.Ordinal) && !name.EndsWith(RotaryBuffer, StringComparison.Ordinal);

    // Of a name of Hugging Face's; empty where it is of none.
    private static string LayerOf(string name) => name.Split('.') is ["model", "layers", var layer, ..] ? layer : "";

    /// <summary>True for weights and biases that ggml's converter reorders, of families where it does.</summary>
    public static bool IsRotary(string huggingFaceName) =>
        huggingFaceName.Contains(".self_attn.q_proj.", StringComparison.Ordinal)
            || huggingFaceName.Contains(".self_attn.k_proj.", StringComparison.Ordinal);
}
