using System.Collections.Immutable;

namespace KvPareto.Engine.Model.Families;

/// <summary>All families, a row each.</summary>
internal static class FamilyTable
{
    private static readonly ImmutableArray<Family> Rows =
    [
        new()
        {
            Name = "llama",
            ClassName = "LlamaForCausalLM",
            GgufName = "llama",
            IsReorderedInGguf = true,
            AttentionBias = BiasRule.ByKey,
            HasFeedForwardBiasKey = true,
        },
        new()
        {
            Name = "qwen2",
            ClassName = "Qwen2ForCausalLM",
            GgufName = "qwen2",
            AttentionBias = BiasRule.Always,
            Windows = WindowRule.ByFlag,
            DefaultWindow = 4096,
            DefaultKvHeads = 32,
            DefaultPositions = 32768,
        },
        new()
        {
            Name = "qwen3",
            ClassName = "Qwen3ForCausalLM",
            GgufName = "qwen3",
            AttentionBias = BiasRule.ByKey,
            QkNorm = true,
            Windows = WindowRule.ByFlag,
            DefaultWindow = 4096,
            DefaultHeadDim = 128,
            DefaultKvHeads = 32,
            DefaultPositions = 32768,
        },
        new()
        {
            Name = "mistral",
            ClassName = "MistralForCausalLM",
            Windows = WindowRule.ByKey,
            DefaultWindow = 4096,
            DefaultKvHeads = 8,
            DefaultPositions = 131072,
        },
        new()
        {
            Name = "granite",
            ClassName = "GraniteForCausalLM",
            GgufName = "granite",
            IsReorderedInGguf = true,
            AttentionBias = BiasRule.ByKey,
            HasFeedForwardBiasKey = true,
            HasMultipliers = true,
        },
        new()
        {
            Name = "phi3",
            ClassName = "Phi3ForCausalLM",
            GgufName = "phi3",
            GgufNames = ImmutableDictionary<string, string>.Empty.Add("attn_qkv", "self_attn.qkv_proj").Add("ffn_up", "mlp.gate_up_proj"),
            Windows = WindowRule.ByKey,
            DefaultPositions = 4096,
            DefaultEpsilon = 1e-5,
            HasPartialRotary = true,
            Fused =
            [
                new("self_attn.qkv_proj", ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"]),
                new("mlp.gate_up_proj", ["mlp.gate_proj", "mlp.up_proj"]),
            ],
            RopeTypes = ["default", "longrope", "su", "linear", "dynamic", "llama3", "yarn"],
        },
        new()
        {
            Name = "smollm3",
            ClassName = "SmolLM3ForCausalLM",
            GgufName = "smollm3",
            IsReorderedInGguf = true,
            AttentionBias = BiasRule.ByKey,
            HasFeedForwardBiasKey = true,
            Windows = WindowRule.Unturned,
            DefaultKvHeads = 4,
            DefaultPositions = 32768,
            DefaultTheta = 2000000,
            IsTiedByDefault = true,
            UnturnedInterval = 4,
        },
    ];

    /// <summary>Names of all.</summary>
    public static ImmutableArray<string> Names { get; } = [.. Rows.Select(family => family.Name)];

    /// <summary>What GGUF files may name.</summary>
    public static ImmutableArray<string> GgufNames { get; } = [.. Rows.Select(family => family.GgufName).OfType<string>()];

    /// <summary>The family with this <c>model_type</c>.</summary>
    public static Family Of(string name) => Rows.First(family => family.Name == name);

    /// <summary>The family of a GGUF file's architecture.</summary>
    public static Family OfGguf(string name) => Rows.First(family => family.GgufName == name);
}
