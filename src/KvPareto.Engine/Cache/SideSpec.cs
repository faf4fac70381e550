using System.Collections.Immutable;
using KvPareto.Text.Input;

namespace KvPareto.Engine.Cache;

/// <summary>How the keys or the values are stored.</summary>
/// <param name="Bits">2, 4, 8 (codes), 16 (f16), or 32 (f32: the reference that other engines' values are compared with).</param>
/// <param name="Granularity">Groups of the codes; unused from 16 bits on.</param>
public readonly record struct SideSpec(int Bits, KvGranularity Granularity)
{
    /// <summary>Bits that can be asked for.</summary>
    public static ImmutableArray<int> AllBits { get; } = [2, 4, 8, 16, 32];

    /// <summary>16 bits.</summary>
    public static readonly SideSpec Full = new(16);

    /// <summary>The same number of bits in groups of 64 channels of a token.</summary>
    public SideSpec(int bits) : this(bits, new KvGranularity(KvAxis.Token, 64)) { }

    /// <summary>True where there are codes.</summary>
    public bool IsCoded => Bits < 16;

    /// <summary>The same at no fewer than 16 bits.</summary>
    public SideSpec Uncoded => this with { Bits = Math.Max(Bits, 16) };

    /// <summary>Refuses what the head width does not allow.</summary>
    /// <param name="what">Keys or values, for the message.</param>
    /// <param name="headDim">D.</param>
    /// <exception cref="ConfigException">Bits or group are none that there are, or the group does not fit.</exception>
    internal void Validate(string what, int headDim)
    {
        if (!AllBits.Contains(Bits))
            throw new ConfigException($"{what} bits {Bits}: allowed are 2, 4, 8, 16, and 32 for comparison with f32 references");
        if (!IsCoded) return;
        var kind = KvAxisKind.Of(Granularity.Axis);
        if (!kind.IsAllowed(Granularity.Group, headDim))
            throw new ConfigException($"{what} granularity {Granularity}: {kind.Allowed(headDim)}");
    }
}
