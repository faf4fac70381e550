using KvPareto.Engine.Model.Families;
using KvPareto.Engine.Rotary;
using KvPareto.Text.Input;

namespace KvPareto.Engine.Checkpoints.Config;

/// <summary>
/// Reads the rotary embedding of a Hugging Face <c>config.json</c>: <c>rope_theta</c> and <c>rope_scaling</c>, or since
/// transformers 5 both in <c>rope_parameters</c>.
/// </summary>
internal sealed class RopeReader
{
    internal const double LeastFactor = 1e-3;
    internal const double LargestFactor = 1e6;

    private const string OriginalKey = "original_max_position_embeddings";
    private const string PartialKey = "partial_rotary_factor";

    private readonly JsonSection _config;
    private readonly JsonSection? _scaling;
    private readonly Family _family;
    private readonly int _headDim;
    private readonly int _turned;
    private readonly int _maxPositions;

    private RopeReader(JsonSection config, Family family, int headDim, int maxPositions)
    {
        (_config, _family, _headDim, _maxPositions) = (config, family, headDim, maxPositions);
        _scaling = config.Section("rope_scaling") ?? config.Section("rope_parameters");
        _turned = TurnedChannels();
    }

    /// <summary>Computes the frequencies that <paramref name="config"/> describes.</summary>
    /// <exception cref="ConfigException">A value is missing or out of range, or the type of scaling is not known.</exception>
    public static RopeTable Read(JsonSection config, Family family, int headDim, int maxPositions) =>
        new RopeReader(config, family, headDim, maxPositions).Read().Within(headDim);

    private RopeTable Read()
    {
        var parameters = _config.Section("rope_parameters");
        var theta = _scaling?.Has("rope_theta") == true ? Theta(_scaling)
            : parameters?.Has("rope_theta") == true ? Theta(parameters)
            : Theta(_config);
        return _scaling is null ? RopeFrequencies.Default(_turned, theta) : Scaled(_scaling, theta);
    }

    private RopeTable Scaled(JsonSection scaling, double theta)
    {
        var typeKey = scaling.Has("rope_type") ? "rope_type" : "type";
        switch (scaling.Word(typeKey, _family.RopeTypes, "default"))
        {
            case "linear":
                return RopeFrequencies.Linear(_turned, theta, Factor(scaling));
            case "dynamic" when _turned <= 2:
                throw scaling.Refuse(typeKey, "default, linear where heads turn 2 channels");
            case "dynamic":
                return RopeFrequencies.Dynamic(_turned, theta, new(scaling.Number("factor", 1, LargestFactor), _maxPositions));
            case "llama3":
                var low = scaling.Number("low_freq_factor", LeastFactor, LargestFactor);
                var high = scaling.Number("high_freq_factor", LeastFactor, LargestFactor);
                if (high <= low) throw scaling.Refuse("high_freq_factor", "a number greater than low_freq_factor");
                return RopeFrequencies.Llama3(_turned, theta, new(Factor(scaling), low, high, OriginalPositions(scaling)));
            case "yarn":
                if (theta <= 1) throw scaling.Refuse("rope_theta", "a number greater than 1 where rope_type is yarn");
                return RopeFrequencies.Yarn(_turned, theta, Yarn(scaling));
            case "longrope" or "su":
                return RopeFrequencies.LongRope(_turned, theta, LongRope(scaling));
            default:
                return RopeFrequencies.Default(_turned, theta);
        }
    }

    private YarnScaling Yarn(JsonSection scaling)
    {
        var original = OriginalPositions(scaling);
        var factor = scaling.Has("factor") ? Factor(scaling) : (double)_maxPositions / original;
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

    private LongRopeScaling LongRope(JsonSection scaling)
    {
        var original = OriginalPositions(scaling);
        // Where the configuration itself gives the original positions, their ratio counts, whatever the factor says.
        var factor = scaling.Has("factor") && !_config.Has(OriginalKey) ? Factor(scaling) : (double)_maxPositions / original;
        var attention = scaling.Has("attention_factor")
            ? scaling.Number("attention_factor", LeastFactor, LargestFactor)
            : LongRopeScaling.PublishedAttentionFactor(factor, original);
        return new(Factors("short_factor"), Factors("long_factor"), original, attention);

        float[] Factors(string key) => [.. scaling.Numbers(key, _turned / 2, LeastFactor, LargestFactor).Select(value => (float)value)];
    }

    private int OriginalPositions(JsonSection scaling) => scaling.Integer(
        OriginalKey, 1, ModelConfigReader.MostPositions, _config.Integer(OriginalKey, 1, ModelConfigReader.MostPositions, _maxPositions));

    private static double Factor(JsonSection scaling) => scaling.Number("factor", LeastFactor, LargestFactor);

    private double Theta(JsonSection section) => section.Number("rope_theta", 1, 1e15, _family.DefaultTheta);

    private int TurnedChannels()
    {
        var section = _scaling?.Has(PartialKey) == true ? _scaling : _config;
        var factor = section.Number(PartialKey, 0, 1, 1);
        if (factor != 1 && !_family.HasPartialRotary) throw section.Refuse(PartialKey, "1");
        var turned = (int)(_headDim * factor);
        return turned >= 2 && turned % 2 == 0
            ? turned
            : throw section.Refuse(PartialKey, $"a part of head_dim ({_headDim}) that is an even number of channels");
    }
}
