using KvPareto.Engine.Model;
using KvPareto.Engine.Model.Families;
using KvPareto.Text.Input;

namespace KvPareto.Engine.Checkpoints;

/// <summary>Takes tensors apart that hold several linear layers: a linear layer's rows are whole in the file, one after the
/// other.</summary>
internal static class FusedTensors
{
    /// <summary>Puts the parts in the place of each fused tensor among <paramref name="tensors"/>, under the names that are asked
    /// for.</summary>
    /// <exception cref="ConfigException">A fused tensor has another shape than the architecture asks for.</exception>
    public static void Split(ModelConfig config, IDictionary<string, HostTensor> tensors)
    {
        foreach (var fused in FamilyTable.Of(config.Family).Fused)
            for (var layer = 0; layer < config.LayerCount; layer++)
            {
                var shapes = LayerShapes.Of(config, layer).All.ToDictionary(shape => shape.Name);
                foreach (var suffix in new[] { ".weight", ".bias" })
                {
                    var name = $"model.layers.{layer}.{fused.Name}{suffix}";
                    if (!tensors.Remove(name, out var tensor)) continue;
                    var parts = fused.Parts.Select(part => shapes[$"model.layers.{layer}.{part}.weight"]).ToArray();
                    Check(tensor, parts, suffix == ".bias");
                    var first = 0L;
                    foreach (var part in parts)
                    {
                        var partName = part.Layer + suffix;
                        tensors[partName] = tensor.Rows(partName, first, part.Rows);
                        first += part.Rows;
                    }
                }
            }
    }

    private static void Check(HostTensor tensor, WeightShape[] parts, bool isBias)
    {
        long[] expected = isBias ? [parts.Sum(part => (long)part.Rows)] : [parts.Sum(part => (long)part.Rows), parts[0].Columns];
        if (!tensor.Shape.SequenceEqual(expected))
            throw new ConfigException(
                $"{tensor.File}: tensor '{tensor.Name}' has shape {tensor.ShapeText}; the configuration asks for "
                    + $"[{string.Join(", ", expected)}]");
    }
}
