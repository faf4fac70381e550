namespace KvPareto.Engine.Model;

/// <summary>
/// Rotary frequencies as Hugging Face transformers computes them (<c>modeling_rope_utils.py</c>): the same operations in the same
/// order, in f32 where it has f32 tensors and in f64 where it has Python numbers; a number divided by a tensor is there the
/// tensor's reciprocal times the number.
/// </summary>
public static class RopeFrequencies
{
    /// <summary>RoFormer (arXiv 2104.09864): pair i turns by position / theta^(2i/D).</summary>
    /// <param name="headDim">D, even.</param>
    /// <param name="theta">Base.</param>
    public static RopeTable Default(int headDim, double theta) => new(Inverse(headDim, theta));

    /// <summary>Linear interpolation: all frequencies divided by <paramref name="factor"/>.</summary>
    public static RopeTable Linear(int headDim, double theta, double factor)
    {
        var inverse = Inverse(headDim, theta);
        for (var i = 0; i < inverse.Length; i++) inverse[i] /= (float)factor;
        return new(inverse);
    }

    /// <summary>
    /// Llama 3.1: long wavelengths divided by <paramref name="factor"/>, short ones kept, those between blended.
    /// </summary>
    /// <param name="headDim">D, even.</param>
    /// <param name="theta">Base.</param>
    /// <param name="factor">How many times longer the context became.</param>
    /// <param name="lowFactor">Wavelengths above original/low are divided.</param>
    /// <param name="highFactor">Wavelengths below original/high are kept; greater than <paramref name="lowFactor"/>.</param>
    /// <param name="originalPositions">Positions of the pretraining.</param>
    public static RopeTable Llama3(int headDim, double theta, double factor, double lowFactor, double highFactor, int originalPositions)
    {
        var inverse = Inverse(headDim, theta);
        var longest = (float)(originalPositions / lowFactor);
        var shortest = (float)(originalPositions / highFactor);
        for (var i = 0; i < inverse.Length; i++)
        {
            var wavelength = 1 / inverse[i] * (float)(2 * Math.PI);
            if (wavelength > longest)
            {
                inverse[i] /= (float)factor;
            }
            else if (wavelength >= shortest)
            {
                var smooth = (1 / wavelength * originalPositions - (float)lowFactor) / (float)(highFactor - lowFactor);
                inverse[i] = (1 - smooth) * inverse[i] / (float)factor + smooth * inverse[i];
            }
        }
        return new(inverse);
    }

    /// <summary>YaRN (arXiv 2309.00071): a ramp between interpolated and kept frequencies, and a factor on cosine and sine.</summary>
    /// <param name="headDim">D, even.</param>
    /// <param name="theta">Base, above 1.</param>
    /// <param name="scaling">The parameters of the method.</param>
    public static RopeTable Yarn(int headDim, double theta, YarnScaling scaling)
    {
        double Dimension(double rotations) =>
            headDim * Math.Log(scaling.OriginalPositions / (rotations * 2 * Math.PI)) / (2 * Math.Log(theta));

        var (low, high) = (Dimension(scaling.BetaFast), Dimension(scaling.BetaSlow));
        if (scaling.Truncate) (low, high) = (Math.Floor(low), Math.Ceiling(high));
        (low, high) = (Math.Max(low, 0), Math.Min(high, headDim - 1));
        if (low == high) high += 0.001;

        var powers = Powers(headDim, theta);
        var inverse = new float[powers.Length];
        for (var i = 0; i < inverse.Length; i++)
        {
            var kept = 1 - Math.Clamp((i - (float)low) / (float)(high - low), 0f, 1f);
            inverse[i] = 1 / ((float)scaling.Factor * powers[i]) * (1 - kept) + 1 / powers[i] * kept;
        }
        return new(inverse, (float)scaling.EffectiveAttentionFactor);
    }

    private static float[] Inverse(int headDim, double theta) => [.. Powers(headDim, theta).Select(power => 1 / power)];

    // The exponent is rounded to f32 before the power is taken, and the power after it: an f64 formula differs by 1e-6.
    private static float[] Powers(int headDim, double theta)
    {
        var powers = new float[headDim / 2];
        for (var i = 0; i < powers.Length; i++) powers[i] = (float)Math.Pow((float)theta, 2f * i / headDim);
        return powers;
    }
}

/// <summary>Parameters of YaRN, by the names of Hugging Face's <c>rope_scaling</c>.</summary>
/// <param name="Factor">How many times longer the context became.</param>
/// <param name="OriginalPositions">Positions of the pretraining.</param>
public sealed record YarnScaling(double Factor, int OriginalPositions)
{
    /// <summary>Pairs that turn more often than this over the original context are kept.</summary>
    public double BetaFast { get; init; } = 32;

    /// <summary>Pairs that turn less often than this over the original context are interpolated whole.</summary>
    public double BetaSlow { get; init; } = 1;

    /// <summary>The ramp's ends are rounded outwards to whole pairs.</summary>
    public bool Truncate { get; init; } = true;

    /// <summary>Factor on cosine and sine; null computes the paper's.</summary>
    public double? AttentionFactor { get; init; }

    /// <summary>With <see cref="MagnitudeAllDims"/>, DeepSeek's form of the factor on cosine and sine; 0 where not given.</summary>
    public double Magnitude { get; init; }

    /// <summary>See <see cref="Magnitude"/>.</summary>
    public double MagnitudeAllDims { get; init; }

    /// <summary>The factor that cosine and sine are multiplied with.</summary>
    public double EffectiveAttentionFactor => AttentionFactor
        ?? (Magnitude != 0 && MagnitudeAllDims != 0 ? Scale(Magnitude) / Scale(MagnitudeAllDims) : Scale(1));

    private double Scale(double magnitude) => Factor <= 1 ? 1 : 0.1 * magnitude * Math.Log(Factor) + 1;
}
