using System.Collections.Immutable;
using KvPareto.Engine.Weights;

namespace KvPareto.Engine.Checkpoints.Gguf;

/// <summary>A tensor type that GGUF files number and this reader knows.</summary>
/// <param name="Id">Number in the file (<c>enum ggml_type</c>).</param>
/// <param name="Type">What a tensor is said to be of.</param>
/// <param name="Format">What its weight is stored as.</param>
internal sealed record GgmlType(uint Id, TensorType Type, WeightFormat Format)
{
    /// <summary>All of them.</summary>
    public static ImmutableArray<GgmlType> All { get; } =
    [
        new(0, TensorType.F32, WeightFormat.F32),
        new(1, TensorType.F16, WeightFormat.F16),
        new(30, TensorType.BF16, WeightFormat.BF16),
        new(2, TensorType.Q40, WeightFormat.Q40),
        new(3, TensorType.Q41, WeightFormat.Q41),
        new(6, TensorType.Q50, WeightFormat.Q50),
        new(7, TensorType.Q51, WeightFormat.Q51),
        new(8, TensorType.Q80, WeightFormat.Q80),
        new(12, TensorType.Q4K, WeightFormat.Q4K),
        new(13, TensorType.Q5K, WeightFormat.Q5K),
        new(14, TensorType.Q6K, WeightFormat.Q6K),
    ];

    /// <summary>Their names, for messages.</summary>
    public static string AllNames { get; } = string.Join(", ", All.Select(type => type.Type.SafeTensorsName()));

    /// <summary>Its blocks.</summary>
    public BlockShape Shape => BlockShape.Of(Format);

    /// <summary>The type with this number; null where it is not known.</summary>
    public static GgmlType? Of(uint id) => All.FirstOrDefault(type => type.Id == id);

    /// <summary>The type of a tensor; null where no GGUF type is so.</summary>
    public static GgmlType? Of(TensorType tensor) => All.FirstOrDefault(type => type.Type == tensor);
}
