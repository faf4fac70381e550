namespace KvPareto.Engine.Rotary;

/// <summary>
/// Rotary frequencies as Hugging Face transformers computes them (<c>modeling_rope_utils.py</c>): the same operations in the same
/// order, in f32 where it has f32 tensors and in f64 where it has Python numbers; a number divided by a tensor is there the
/// tensor's reciprocal times the number.
/// </summary>
internal static class RopeFrequencies
{
    /// <summary>RoFormer (arXiv 2104.09864): pair i turns by position / theta^(2i/D).</summary>
    /// <param name="headDim">D, even.</param>
    /// <param name="theta">Base.</param>
    public static RopeTable Default(int headDim, double theta) => new(Inverse(headDim, theta)) { Form = new(theta) };

    /// <summary>Linear interpolation: all frequencies divided by <paramref name="factor"/>.</summary>
    public static RopeTable Linear(int headDim, double theta, double factor)
    {
        var inverse = Inverse(headDim, theta);
        for (var i = 0; i < inverse.Length; i++) inverse[i] /= (float)factor;
        return new(inverse) { Form = new(theta, new LinearScaling(factor)) };
    }

    /// <summary>NTK-aware by length: beyond the original positions the base grows with the length L of the run.</summary>
    /// <param name="headDim">D, even, above 2.</param>
    /// <param name="theta">Base.</param>
    /// <param name="scaling">The parameters of the method.</param>
    public static RopeTable Dynamic(int headDim, double theta, DynamicScaling scaling)
    {
        var form = new RopeForm(theta, scaling);
        return new(Inverse(headDim, theta))
        {
            Form = form,
            Positions = scaling.OriginalPositions,
            Longer = length =>
            {
                var growth = scaling.Factor * length / scaling.OriginalPositions - (scaling.Factor - 1);
                return new(Inverse(headDim, theta * Math.Pow(growth, headDim / (headDim - 2.0)))) { Form = form };
            },
        };
    }

    /// <summary>Phi-3's: frequencies divided pair by pair, by other divisors in runs beyond the original positions.</summary>
    /// <param name="headDim">Channels that turn, even.</param>
    /// <param name="theta">Base.</param>
    /// <param name="scaling">The parameters of the method.</param>
    public static RopeTable LongRope(int headDim, double theta, LongRopeScaling scaling)
    {
        var form = new RopeForm(theta, scaling);
        return Divided(scaling.ShortFactors, _ => Divided(scaling.LongFactors, null));

        RopeTable Divided(float[] factors, Func<int, RopeTable>? longer) =>
            new([.. Powers(headDim, theta).Zip(factors, (power, factor) => 1 / (factor * power))], (float)scaling.AttentionFactor)
            {
                Form = form,
                Positions = longer is null ? int.MaxValue : scaling.OriginalPositions,
                Longer = longer,
            };
    }

    /// <summary>
    /// Llama 3.1: long wavelengths divided by the factor, short ones kept, those between blended.
    /// </summary>
    /// <param name="headDim">D, even.</param>
    /// <param name="theta">Base.</param>
    /// <param name="scaling">The parameters of the method.</param>
    public static RopeTable Llama3(int headDim, double theta, Llama3Scaling scaling)
    {
        var (factor, lowFactor, highFactor, originalPositions) = scaling;
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
        return new(inverse) { Form = new(theta, scaling) };
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
        return new(inverse, (float)scaling.EffectiveAttentionFactor) { Form = new(theta, scaling) };
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
