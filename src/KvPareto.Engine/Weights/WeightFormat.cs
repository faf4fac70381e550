using System.Collections.Immutable;

namespace KvPareto.Engine.Weights;

/// <summary>How a weight's elements are stored.</summary>
public enum WeightFormat
{
    /// <summary>IEEE 754 binary32.</summary>
    F32,

    /// <summary>IEEE 754 binary16.</summary>
    F16,

    /// <summary>The upper half of a binary32.</summary>
    BF16,

    /// <summary>4-bit codes in groups of input channels of one output row (<see cref="Cache.GroupCodec"/>).</summary>
    W4,

    /// <summary>8-bit codes in groups, as <see cref="W4"/>.</summary>
    W8,

    /// <summary>ggml's Q4_0: 32 codes of 4 bits, f16 scale. A block of this and the next formats lies within one output row.</summary>
    Q40,

    /// <summary>ggml's Q4_1: 32 codes of 4 bits, f16 scale and minimum.</summary>
    Q41,

    /// <summary>ggml's Q5_0: 32 codes of 5 bits, f16 scale.</summary>
    Q50,

    /// <summary>ggml's Q5_1: 32 codes of 5 bits, f16 scale and minimum.</summary>
    Q51,

    /// <summary>ggml's Q8_0: 32 codes of 8 bits, f16 scale.</summary>
    Q80,

    /// <summary>ggml's Q4_K: 256 codes of 4 bits, eight 6-bit scales and minima, and f16 factors of both.</summary>
    Q4K,

    /// <summary>ggml's Q5_K: as <see cref="Q4K"/> with codes of 5 bits.</summary>
    Q5K,

    /// <summary>ggml's Q6_K: 256 codes of 6 bits, sixteen 8-bit scales and their f16 factor.</summary>
    Q6K,

    /// <summary>ggml's Q2_K: 256 codes of 2 bits, sixteen 4-bit scales and minima, and f16 factors of both.</summary>
    Q2K,

    /// <summary>ggml's Q3_K: 256 codes of 3 bits, sixteen 6-bit scales and their f16 factor.</summary>
    Q3K,

    /// <summary>ggml's IQ4_NL: 32 codes of 4 bits, each the index of one of sixteen values, f16 scale.</summary>
    IQ4NL,

    /// <summary>ggml's IQ4_XS: 256 codes as <see cref="IQ4NL"/>'s, eight 6-bit scales and their f16 factor.</summary>
    IQ4XS,
}

/// <summary>Facts about <see cref="WeightFormat"/>.</summary>
public static class WeightFormats
{
    /// <summary>Input channels of a group of codes that every backend knows, the widest first.</summary>
    public static ImmutableArray<int> StoredGroups { get; } = [256, 128, 64, 32];

    /// <summary>The widest of <see cref="StoredGroups"/> that divides a group, a multiple of 32: one that is none of them is stored as
    /// several with the same scale and zero point.</summary>
    public static int StoredGroup(int group) => StoredGroups.First(stored => group % stored == 0);

    /// <summary>Bits of a code of a format in groups; 0 for the others.</summary>
    public static int CodeBits(this WeightFormat format) => format switch { WeightFormat.W4 => 4, WeightFormat.W8 => 8, _ => 0 };

    /// <summary>The format whose codes have <paramref name="bits"/> bits, 4 or 8.</summary>
    public static WeightFormat OfCodes(int bits) => bits switch
    {
        4 => WeightFormat.W4,
        8 => WeightFormat.W8,
        _ => throw new ArgumentOutOfRangeException(nameof(bits)),
    };
}
