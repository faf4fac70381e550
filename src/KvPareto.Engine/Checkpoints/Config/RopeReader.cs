using KvPareto.Engine.Rotary;
using KvPareto.Text.Input;

namespace KvPareto.Engine.Checkpoints.Config;

/// <summary>
/// Reads the rotary embedding of a Hugging Face <c>config.json</c>: <c>rope_theta</c> and <c>rope_scaling</c>, or since
/// transformers 5 both in <c>rope_parameters</c>.
/// </summary>
internal static class RopeReader
{
    internal const double LeastFactor = 1e-3;
    internal const double LargestFactor = 1e6;

    private const double DefaultTheta = 10000;

    private static readonly string[] KnownTypes = ["default", "linear", "llama3", "yarn"];

    /// <summary>Computes the frequencies that <paramref name="config"/> describes.</summary>
    /// <exception cref="ConfigException">A value is missing or out of range, or the type of scaling is not known.</exception>
    public static RopeTable Read(JsonSection config, int headDim, int maxPositions)
    {
        var parameters = config.Section("rope_parameters");
        var scaling = config.Section("rope_scaling") ?? parameters;
        RefusePartial(config);
        if (scaling is not null) RefusePartial(scaling);
        var theta = scaling?.Has("rope_theta") == true ? Theta(scaling)
            : parameters?.Has("rope_theta") == true ? Theta(parameters)
            : Theta(config);
        return scaling is null ? RopeFrequencies.Default(headDim, theta) : Scaled(scaling, headDim, theta, maxPositions);
    }

    private static RopeTable Scaled(JsonSection scaling, int headDim, double theta, int maxPositions)
    {
        var typeKey = scaling.Has("rope_type") ? "rope_type" : "type";
        switch (scaling.Word(typeKey, KnownTypes, "default"))
        {
            case "linear":
                return RopeFrequencies.Linear(headDim, theta, Factor(scaling));
            case "llama3":
                var low = scaling.Number("low_freq_factor", LeastFactor, LargestFactor);
                var high = scaling.Number("high_freq_factor", LeastFactor, LargestFactor);
                if (high <= low) throw scaling.Refuse("high_freq_factor", "a number greater than low_freq_factor");
                return RopeFrequencies.Llama3(headDim, theta, new(Factor(scaling), low, high, OriginalPositions(scaling, maxPositions)));
            case "yarn":
                if (theta <= 1) throw scaling.Refuse("rope_theta", "a number greater than 1 where rope_type is yarn");
                return RopeFrequencies.Yarn(headDim, theta, Yarn(scaling, maxPositions));
            default:
                return RopeFrequencies.Default(headDim, theta);
        }
    }

    private static YarnScaling Yarn(JsonSection scaling, int maxPositions)
    {
        var original = OriginalPositions(scaling, maxPositions);
        var factor = scaling.Has("factor") ? Factor(scaling) : (double)maxPositions / original;
        return new(factor, original)
        {
            BetaFast = scaling.Number("beta_fast", LeastFactor, LargestFactor, 32),
            BetaSlow = scaling.Number("beta_slow", LeastFactor, LargestFactor, 1),
            Truncate = scaling.Flag("truncate", true),
            AttentionFactor = scaling.Has("attention_factor") ? scaling.Number("attention_factor", LeastFactor, LargestFactor) : null,
            Magnitude = scaling.Number("mscale", 0, LargestFactor, 0),
            MagnitudeAllDims = scaling.Number("mscale_all_dim", 0, LargestFactor, 0),
        };
    }

    private static int OriginalPositions(JsonSection scaling, int maxPositions) =>
        scaling.Integer("original_max_position_embeddings", 1, ModelConfigReader.MostPositions, maxPositions);

    private static double Factor(JsonSection scaling) => scaling.Number("factor", LeastFactor, LargestFactor);

    private static double Theta(JsonSection section) => section.Number("rope_theta", 1, 1e15, DefaultTheta);

    private static void RefusePartial(JsonSection section)
    {
        if (section.Number("partial_rotary_factor", 0, 1, 1) != 1) throw section.Refuse("partial_rotary_factor", "1");
    }
}
