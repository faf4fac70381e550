namespace KvPareto.Engine.Cache;

/// <summary>Which elements of keys or values share one scale and zero point.</summary>
public enum KvAxis
{
    /// <summary>g channels of one token and head.</summary>
    Token,
}

/// <summary>A granularity: axis and group size.</summary>
/// <param name="Axis">What the group runs along.</param>
/// <param name="Group">Elements of the group.</param>
public readonly record struct KvGranularity(KvAxis Axis, int Group)
{
    /// <summary><c>token:64</c> and the like.</summary>
    public override string ToString() => $"token:{Group}";
}

/// <summary>How keys and values are stored: bits and granularity of each, and whether keys are smoothed.</summary>
public sealed record KvSpec
{
    /// <summary>16 bits for both.</summary>
    public static readonly KvSpec Full = new();

    /// <summary>2, 4, 8 (codes), 16 (f16), or 32 (f32: the reference that other engines' values are compared with).</summary>
    public int KeyBits { get; init; } = 16;

    /// <summary>2, 4, 8, 16 or 32, as <see cref="KeyBits"/>.</summary>
    public int ValueBits { get; init; } = 16;

    /// <summary>Groups of the keys; unused at 16 bits.</summary>
    public KvGranularity KeyGranularity { get; init; } = new(KvAxis.Token, 64);

    /// <summary>Groups of the values; unused at 16 bits.</summary>
    public KvGranularity ValueGranularity { get; init; } = new(KvAxis.Token, 64);

    /// <summary>Subtract from every key the per-channel mean of the first append, frozen (KV Pareto's K-smoothing).</summary>
    public bool SmoothKeys { get; init; }

    /// <summary>Refuses what a model's head width does not allow.</summary>
    /// <exception cref="ConfigException">A group does not divide the head width, or a bit width is unknown.</exception>
    public void Validate(int headDim)
    {
        Check("key", KeyBits, KeyGranularity, headDim);
        Check("value", ValueBits, ValueGranularity, headDim);
    }

    private static void Check(string what, int bits, KvGranularity granularity, int headDim)
    {
        if (bits is not (2 or 4 or 8 or 16 or 32))
            throw new ConfigException($"{what} bits {bits}: allowed are 2, 4, 8, 16, and 32 for comparison with f32 references");
        if (bits < 16 && granularity.Axis == KvAxis.Token && (granularity.Group < 8 || granularity.Group % 8 != 0 || headDim % granularity.Group != 0))
            throw new ConfigException($"{what} granularity {granularity}: the group must be a multiple of 8 that divides the model's head_dim of {headDim}");
    }
}
