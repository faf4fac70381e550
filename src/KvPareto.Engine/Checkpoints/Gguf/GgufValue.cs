namespace KvPareto.Engine.Checkpoints.Gguf;

/// <summary>Type of a metadata value, by its number in the file.</summary>
internal enum GgufValueType : uint
{
    U8,
    I8,
    U16,
    I16,
    U32,
    I32,
    F32,
    Bool,
    String,
    Array,
    U64,
    I64,
    F64,
}

/// <summary>Where a metadata value lies.</summary>
/// <param name="Type">Type of the value, or of an array's elements.</param>
/// <param name="Offset">Its first byte in the file.</param>
/// <param name="Count">Elements of an array; null for a single value.</param>
internal readonly record struct GgufValue(GgufValueType Type, long Offset, long? Count);
