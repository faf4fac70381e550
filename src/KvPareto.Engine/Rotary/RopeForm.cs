namespace KvPareto.Engine.Rotary;

/// <summary>How rotary frequencies come about, as a Hugging Face <c>config.json</c> says it.</summary>
/// <param name="Theta">Base.</param>
/// <param name="Scaling">What <c>rope_scaling</c> says; null where there is none.</param>
public sealed record RopeForm(double Theta, RopeScaling? Scaling = null);

/// <summary>One of the scalings that <c>rope_scaling</c> knows, by the names that it has there.</summary>
public abstract record RopeScaling;

/// <summary>Linear interpolation.</summary>
/// <param name="Factor">How many times longer the context became.</param>
internal sealed record LinearScaling(double Factor) : RopeScaling;

/// <summary>Linear interpolation by the length of the run (NTK-aware): none up to the positions of the pretraining.</summary>
/// <param name="Factor">How the base grows with the length.</param>
/// <param name="OriginalPositions">Positions of the pretraining.</param>
internal sealed record DynamicScaling(double Factor, int OriginalPositions) : RopeScaling;

/// <summary>Phi-3's scaling: one divisor a pair for runs up to the original positions, another beyond (arXiv 2402.13753).</summary>
/// <param name="ShortFactors">Divisors of short runs, one a pair.</param>
/// <param name="LongFactors">Divisors of long runs.</param>
/// <param name="OriginalPositions">Longest short run.</param>
/// <param name="AttentionFactor">Factor on cosine and sine.</param>
internal sealed record LongRopeScaling(float[] ShortFactors, float[] LongFactors, int OriginalPositions, double AttentionFactor)
    : RopeScaling
{
    /// <summary>The published factor of a context that became <paramref name="factor"/> times longer: √(1 +
    /// ln(factor)/ln(original)).</summary>
    public static double PublishedAttentionFactor(double factor, int originalPositions) =>
        factor <= 1 || originalPositions <= 1 ? 1 : Math.Sqrt(1 + Math.Log(factor) / Math.Log(originalPositions));
}

/// <summary>Llama 3.1's scaling.</summary>
/// <param name="Factor">How many times longer the context became.</param>
/// <param name="LowFactor">Wavelengths above original/low are divided.</param>
/// <param name="HighFactor">Wavelengths below original/high are kept; greater than <paramref name="LowFactor"/>.</param>
/// <param name="OriginalPositions">Positions of the pretraining.</param>
internal sealed record Llama3Scaling(double Factor, double LowFactor, double HighFactor, int OriginalPositions) : RopeScaling;

/// <summary>Parameters of YaRN (arXiv 2309.00071).</summary>
/// <param name="Factor">How many times longer the context became.</param>
/// <param name="OriginalPositions">Positions of the pretraining.</param>
internal sealed record YarnScaling(double Factor, int OriginalPositions) : RopeScaling
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
