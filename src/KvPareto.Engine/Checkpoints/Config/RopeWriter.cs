using System.Text.Json.Nodes;
using KvPareto.Engine.Rotary;

namespace KvPareto.Engine.Checkpoints.Config;

/// <summary>Writes a rotary embedding into a Hugging Face <c>config.json</c>, as <see cref="RopeReader"/> reads it.</summary>
internal static class RopeWriter
{
    /// <summary>Sets <c>rope_theta</c> and <c>rope_scaling</c>.</summary>
    public static void Write(RopeForm form, JsonObject config)
    {
        config["rope_theta"] = ConfigNumber.Of(form.Theta);
        config["rope_scaling"] = form.Scaling switch
        {
            LinearScaling linear => new JsonObject { ["rope_type"] = "linear", ["factor"] = ConfigNumber.Of(linear.Factor) },
            Llama3Scaling llama3 => new JsonObject
            {
                ["rope_type"] = "llama3",
                ["factor"] = ConfigNumber.Of(llama3.Factor),
                ["low_freq_factor"] = ConfigNumber.Of(llama3.LowFactor),
                ["high_freq_factor"] = ConfigNumber.Of(llama3.HighFactor),
                ["original_max_position_embeddings"] = llama3.OriginalPositions,
            },
            YarnScaling yarn => Yarn(yarn),
            DynamicScaling dynamic => new JsonObject { ["rope_type"] = "dynamic", ["factor"] = ConfigNumber.Of(dynamic.Factor) },
            LongRopeScaling longRope => new JsonObject
            {
                ["rope_type"] = "longrope",
                ["short_factor"] = Factors(longRope.ShortFactors),
                ["long_factor"] = Factors(longRope.LongFactors),
                ["original_max_position_embeddings"] = longRope.OriginalPositions,
                ["attention_factor"] = ConfigNumber.Of(longRope.AttentionFactor),
            },
            _ => null,
        };
    }

    private static JsonArray Factors(float[] factors) => new([.. factors.Select(factor => (JsonNode?)ConfigNumber.Of(factor))]);

    private static JsonObject Yarn(YarnScaling yarn)
    {
        var words = new JsonObject
        {
            ["rope_type"] = "yarn",
            ["factor"] = ConfigNumber.Of(yarn.Factor),
            ["original_max_position_embeddings"] = yarn.OriginalPositions,
            ["beta_fast"] = ConfigNumber.Of(yarn.BetaFast),
            ["beta_slow"] = ConfigNumber.Of(yarn.BetaSlow),
        };
        if (!yarn.Truncate) words["truncate"] = false;
        // The paper's own factor is left to the reader: not all engines know the key.
        if (yarn.EffectiveAttentionFactor != new YarnScaling(yarn.Factor, yarn.OriginalPositions).EffectiveAttentionFactor)
            words["attention_factor"] = ConfigNumber.Of(yarn.EffectiveAttentionFactor);
        return words;
    }
}
