using System.Collections.Immutable;
using KvPareto.Engine.Model;
using KvPareto.Engine.Weights;

namespace KvPareto.Engine.Checkpoints.Gguf;

/// <summary>A tensor type that GGUF files number and this reader knows.</summary>
/// <param name="Id">Number in the file (<c>enum ggml_type</c>).</param>
/// <param name="Type">What a tensor is said to be of.</param>
internal sealed record GgmlType(uint Id, TensorType Type)
{
    /// <summary>All of them.</summary>
    public static ImmutableArray<GgmlType> All { get; } =
    [
        new(0, TensorType.F32),
        new(1, TensorType.F16),
        new(30, TensorType.BF16),
        new(2, TensorType.Q40),
        new(3, TensorType.Q41),
        new(6, TensorType.Q50),
        new(7, TensorType.Q51),
        new(8, TensorType.Q80),
        new(12, TensorType.Q4K),
        new(13, TensorType.Q5K),
        new(14, TensorType.Q6K),
        new(10, TensorType.Q2K),
        new(11, TensorType.Q3K),
        new(20, TensorType.IQ4NL),
        new(23, TensorType.IQ4XS),
    ];

    // Those of enum ggml_type that this reader does not know, for messages.
    private static readonly Dictionary<uint, string> OtherNames = new()
    {
        [4] = "Q4_2",
        [5] = "Q4_3",
        [9] = "Q8_1",
        [15] = "Q8_K",
        [16] = "IQ2_XXS",
        [17] = "IQ2_XS",
        [18] = "IQ3_XXS",
        [19] = "IQ1_S",
        [21] = "IQ3_S",
        [22] = "IQ2_S",
        [24] = "I8",
        [25] = "I16",
        [26] = "I32",
        [27] = "I64",
        [28] = "F64",
        [29] = "IQ1_M",
        [34] = "TQ1_0",
        [35] = "TQ2_0",
        [39] = "MXFP4",
    };

    /// <summary>Their names, for messages.</summary>
    public static string AllNames { get; } = string.Join(", ", All.Select(type => type.Type.SafeTensorsName()));

    /// <summary>What its weight is stored as.</summary>
    public WeightFormat Format { get; } = Type.Format()!.Value;

    /// <summary>Its blocks.</summary>
    public BlockShape Shape => BlockShape.Of(Format);

    /// <summary>What ggml calls the type with this number, for messages.</summary>
    public static string NameOf(uint id) => OtherNames.TryGetValue(id, out var name) ? name : $"number {id}";

    /// <summary>The type with this number; null where it is not known.</summary>
    public static GgmlType? Of(uint id) => All.FirstOrDefault(type => type.Id == id);
}
