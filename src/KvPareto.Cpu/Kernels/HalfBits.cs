namespace KvPareto.Cpu.Kernels;

/// <summary>
/// How vectors read f16 numbers without an instruction for it: the sign-extended bits, shifted left by 13 to where an f32 has its own, are
/// the value times 2^-112, subnormals included. (A number without a sign gets there from an upper half, shifted right by 3.)
/// </summary>
internal static class HalfBits
{
    /// <summary>2^112.</summary>
    public const float Scale = 5.192296858534828e33f;

    /// <summary>Sign, exponent and fraction of an f16 in its place.</summary>
    public const int Placed = unchecked((int)0x8FFFE000);

    /// <summary>The exponent there; all ones in infinities and NaN.</summary>
    public const int Exponent = 0x0F800000;

    /// <summary>An f32's exponent.</summary>
    public const int SingleExponent = 0x7F800000;
}
