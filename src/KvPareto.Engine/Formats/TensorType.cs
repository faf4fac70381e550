namespace KvPareto.Engine.Formats;

/// <summary>Element type of a tensor in a file: those that the safetensors format names.</summary>
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
}

/// <summary>Facts about <see cref="TensorType"/>.</summary>
public static class TensorTypes
{
    private static readonly Dictionary<string, TensorType> ByName =
        Enum.GetValues<TensorType>().ToDictionary(type => type.SafeTensorsName(), StringComparer.Ordinal);

    /// <summary>All names that a safetensors header may give, for messages.</summary>
    public static string AllNames { get; } = string.Join(", ", ByName.Keys);

    /// <summary>Bits of one element.</summary>
    public static int BitSize(this TensorType type) => type switch
    {
        TensorType.F4 => 4,
        TensorType.F6E2M3 or TensorType.F6E3M2 => 6,
        <= TensorType.F8E8M0 => 8,
        <= TensorType.BF16 => 16,
        <= TensorType.F32 => 32,
        _ => 64,
    };

    /// <summary>The name in a safetensors header, for example <c>BF16</c>.</summary>
    public static string SafeTensorsName(this TensorType type) => type switch
    {
        TensorType.Bool => "BOOL",
        TensorType.F6E2M3 => "F6_E2M3",
        TensorType.F6E3M2 => "F6_E3M2",
        TensorType.F8E5M2 => "F8_E5M2",
        TensorType.F8E4M3 => "F8_E4M3",
        TensorType.F8E8M0 => "F8_E8M0",
        _ => type.ToString(),
    };

    /// <summary>The type that a safetensors header calls <paramref name="name"/>; null where there is none.</summary>
    public static TensorType? Parse(string? name) => name is not null && ByName.TryGetValue(name, out var type) ? type : null;
}
