using KvPareto.Engine.Weights;

namespace KvPareto.Engine.Model;

/// <summary>Element type of a tensor in a file: those that the safetensors format names, then ggml's blocks, which only GGUF has.</summary>
public enum TensorType
{
    /// <summary>One byte, 0 or 1.</summary>
    Bool,

    /// <summary>4-bit float, E2M1; two to a byte.</summary>
    F4,

    /// <summary>6-bit float, E2M3.</summary>
    F6E2M3,

    /// <summary>6-bit float, E3M2.</summary>
    F6E3M2,

    /// <summary>Unsigned 8-bit integer.</summary>
    U8,

    /// <summary>Signed 8-bit integer.</summary>
    I8,

    /// <summary>8-bit float, E5M2.</summary>
    F8E5M2,

    /// <summary>8-bit float, E4M3.</summary>
    F8E4M3,

    /// <summary>8-bit power of two.</summary>
    F8E8M0,

    /// <summary>Signed 16-bit integer.</summary>
    I16,

    /// <summary>Unsigned 16-bit integer.</summary>
    U16,

    /// <summary>IEEE 754 binary16.</summary>
    F16,

    /// <summary>The upper half of a binary32.</summary>
    BF16,

    /// <summary>Signed 32-bit integer.</summary>
    I32,

    /// <summary>Unsigned 32-bit integer.</summary>
    U32,

    /// <summary>IEEE 754 binary32.</summary>
    F32,

    /// <summary>Two binary32: real and imaginary part.</summary>
    C64,

    /// <summary>IEEE 754 binary64.</summary>
    F64,

    /// <summary>Signed 64-bit integer.</summary>
    I64,

    /// <summary>Unsigned 64-bit integer.</summary>
    U64,

    /// <summary>Blocks of <see cref="WeightFormat.Q40"/>.</summary>
    Q40,

    /// <summary>Blocks of <see cref="WeightFormat.Q41"/>.</summary>
    Q41,

    /// <summary>Blocks of <see cref="WeightFormat.Q50"/>.</summary>
    Q50,

    /// <summary>Blocks of <see cref="WeightFormat.Q51"/>.</summary>
    Q51,

    /// <summary>Blocks of <see cref="WeightFormat.Q80"/>.</summary>
    Q80,

    /// <summary>Blocks of <see cref="WeightFormat.Q4K"/>.</summary>
    Q4K,

    /// <summary>Blocks of <see cref="WeightFormat.Q5K"/>.</summary>
    Q5K,

    /// <summary>Blocks of <see cref="WeightFormat.Q6K"/>.</summary>
    Q6K,

    /// <summary>Blocks of <see cref="WeightFormat.Q2K"/>.</summary>
    Q2K,

    /// <summary>Blocks of <see cref="WeightFormat.Q3K"/>.</summary>
    Q3K,

    /// <summary>Blocks of <see cref="WeightFormat.IQ4NL"/>.</summary>
    IQ4NL,

    /// <summary>Blocks of <see cref="WeightFormat.IQ4XS"/>.</summary>
    IQ4XS,
}

/// <summary>Facts about <see cref="TensorType"/>.</summary>
internal static class TensorTypes
{
    // Its name, bits of an element (0 where elements lie in blocks), and what a weight of them is stored as (null where none is).
    private static readonly Dictionary<TensorType, (string Name, int Bits, WeightFormat? Format)> Rows = new()
    {
        [TensorType.Bool] = ("BOOL", 8, null),
        [TensorType.F4] = ("F4", 4, null),
        [TensorType.F6E2M3] = ("F6_E2M3", 6, null),
        [TensorType.F6E3M2] = ("F6_E3M2", 6, null),
        [TensorType.U8] = ("U8", 8, null),
        [TensorType.I8] = ("I8", 8, null),
        [TensorType.F8E5M2] = ("F8_E5M2", 8, null),
        [TensorType.F8E4M3] = ("F8_E4M3", 8, null),
        [TensorType.F8E8M0] = ("F8_E8M0", 8, null),
        [TensorType.I16] = ("I16", 16, null),
        [TensorType.U16] = ("U16", 16, null),
        [TensorType.F16] = ("F16", 16, WeightFormat.F16),
        [TensorType.BF16] = ("BF16", 16, WeightFormat.BF16),
        [TensorType.I32] = ("I32", 32, null),
        [TensorType.U32] = ("U32", 32, null),
        [TensorType.F32] = ("F32", 32, WeightFormat.F32),
        [TensorType.C64] = ("C64", 64, null),
        [TensorType.F64] = ("F64", 64, null),
        [TensorType.I64] = ("I64", 64, null),
        [TensorType.U64] = ("U64", 64, null),
        [TensorType.Q40] = ("Q4_0", 0, WeightFormat.Q40),
        [TensorType.Q41] = ("Q4_1", 0, WeightFormat.Q41),
        [TensorType.Q50] = ("Q5_0", 0, WeightFormat.Q50),
        [TensorType.Q51] = ("Q5_1", 0, WeightFormat.Q51),
        [TensorType.Q80] = ("Q8_0", 0, WeightFormat.Q80),
        [TensorType.Q4K] = ("Q4_K", 0, WeightFormat.Q4K),
        [TensorType.Q5K] = ("Q5_K", 0, WeightFormat.Q5K),
        [TensorType.Q6K] = ("Q6_K", 0, WeightFormat.Q6K),
        [TensorType.Q2K] = ("Q2_K", 0, WeightFormat.Q2K),
        [TensorType.Q3K] = ("Q3_K", 0, WeightFormat.Q3K),
        [TensorType.IQ4NL] = ("IQ4_NL", 0, WeightFormat.IQ4NL),
        [TensorType.IQ4XS] = ("IQ4_XS", 0, WeightFormat.IQ4XS),
    };

    private static readonly Dictionary<string, TensorType> ByName =
        Enum.GetValues<TensorType>().Where(type => !type.IsBlocks()).ToDictionary(type => type.SafeTensorsName(), StringComparer.Ordinal);

    /// <summary>All names that a safetensors header may give, for messages.</summary>
    public static string AllNames { get; } = string.Join(", ", ByName.Keys);

    /// <summary>Bits of one element, of a type that has a whole number of them.</summary>
    /// <exception cref="ArgumentOutOfRangeException">One of ggml's block types.</exception>
    public static int BitSize(this TensorType type) =>
        Rows[type].Bits is > 0 and var bits ? bits : throw new ArgumentOutOfRangeException(nameof(type), type, "elements lie in blocks");

    /// <summary>What a weight of such elements is stored as; null where no weight has them.</summary>
    public static WeightFormat? Format(this TensorType type) => Rows[type].Format;

    /// <summary>True for ggml's block types, which only GGUF has.</summary>
    public static bool IsBlocks(this TensorType type) => Rows[type].Bits == 0;

    /// <summary>The name in a safetensors header, for example <c>BF16</c>; ggml's name of a block type.</summary>
    public static string SafeTensorsName(this TensorType type) => Rows[type].Name;

    /// <summary>The type that a safetensors header calls <paramref name="name"/>; null where there is none.</summary>
    public static TensorType? Parse(string? name) => name is not null && ByName.TryGetValue(name, out var type) ? type : null;
}
