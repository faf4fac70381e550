using System.Collections.Immutable;
using KvPareto.Engine.Weights;
using KvPareto.Text.Input;

namespace KvPareto.Engine.Model;

/// <summary>What a checkpoint says of a tensor, without its elements.</summary>
/// <param name="File">The file it lies in, for messages.</param>
/// <param name="Name">The checkpoint's name of it.</param>
/// <param name="Type">Element type.</param>
/// <param name="Shape">Lengths, outermost first; empty for a scalar.</param>
internal readonly record struct TensorHeader(string File, string Name, TensorType Type, ImmutableArray<long> Shape)
{
    private const string Floats = "F32, F16, BF16";

    /// <summary>The shape as messages give it, for example <c>[512, 96]</c>.</summary>
    public string ShapeText => $"[{string.Join(", ", Shape)}]";

    /// <summary>The format of a weight with these elements.</summary>
    /// <exception cref="ConfigException">No weight has such elements.</exception>
    public WeightFormat Format => Type.Format() ?? throw Refuse($"is of type {Type.SafeTensorsName()}; allowed: {Floats}");

    /// <summary>Refuses what no weight is made of: elements that none has, and a vector of blocks.</summary>
    /// <exception cref="ConfigException">It is that.</exception>
    public void RequireWeight()
    {
        if (BlockShape.IsBlocks(Format) && Shape.Length == 1)
            throw Refuse($"is a vector of type {Type.SafeTensorsName()}; allowed: {Floats}");
    }

    /// <summary>The exception that says what is wrong with it.</summary>
    public ConfigException Refuse(string what) => new($"{File}: tensor '{Name}' {what}");
}
