using KvPareto.Engine.Model;
using KvPareto.Engine.Settings;

namespace KvPareto.Engine.Memory;

/// <summary>
/// A setting that KV Pareto (arXiv 2512.01953) picks from a model's frontier at 10,000 tokens, and how much less total memory it
/// reports than for 16 bits. AWQ weights in groups of 128, cache groups of 32 (3B models) or 64 channels, chunks of 256 tokens.
/// </summary>
/// <param name="Model">Shipped architecture.</param>
/// <param name="Setting">The pick, embedding and output head at 16 bits.</param>
/// <param name="SavedPercent">What the paper reports.</param>
public sealed record PaperPick(string Model, InferenceSetting Setting, double SavedPercent)
{
    /// <summary>Tokens of the prompt.</summary>
    public const int Context = 10_000;

    /// <summary>The paper's five.</summary>
    public static IReadOnlyList<PaperPick> All { get; } =
    [
        Of("Qwen2.5-3B", "w4a16-k4v4-t32-c256", 73),
        Of("Llama-3.2-3B", "w4a16-k4v4-t32-c256", 76),
        Of("Qwen2.5-7B", "w4a16-k8v8-t64-c256", 68),
        Of("Llama-3.1-8B", "w4a16-k8v2-t64-c256", 75),
        Of("Mistral-7B-v0.3", "w4a16-k4v4-t64-c256", 78),
    ];

    /// <summary>The pick with embedding and output head at 16, 8 and 4 bits, of which the paper does not speak.</summary>
    public IReadOnlyList<InferenceSetting> Variants =>
        [.. WeightSpec.AllBits.Select(bits => Setting with { Weights = Setting.Weights with { EmbeddingBits = bits } })];

    private static PaperPick Of(string model, string setting, double savedPercent) =>
        new(model, InferenceSetting.Parse(setting), savedPercent);
}
