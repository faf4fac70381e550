using System.Globalization;
using KvPareto.Engine.Model;
using KvPareto.Text.Input;

namespace KvPareto.Engine.Checkpoints;

/// <summary>
/// Refuses a checkpoint of more than its configuration asks for: layers beyond the last, and weights of a layer that the architecture does
/// not have (another norm, another bias). It would be run as another model.
/// </summary>
internal static class SurplusTensors
{
    private const string Prefix = "model.layers.";
    private const string RotaryBuffer = ".rotary_emb.inv_freq"; // of older versions of transformers; follows from the configuration

    /// <summary>Checks tensors under Hugging Face's names, those that were fused taken apart.</summary>
    /// <param name="source">The file that lists them, for messages.</param>
    /// <param name="config">Architecture.</param>
    /// <param name="names">All names.</param>
    /// <exception cref="ConfigException">Names the first that is surplus.</exception>
    public static void Refuse(string source, ModelConfig config, IEnumerable<string> names)
    {
        var known = KnownNames(config);
        foreach (var name in names)
        {
            if (NumberOf(name) is { } layer && layer >= config.LayerCount)
                throw new ConfigException($"{source}: tensor '{OneLine.Of(name)}' is of layer {layer}, counted from 0; the configuration "
                    + $"has {CountText.Of(config.LayerCount, "layer")}");
            if (name.StartsWith(Prefix, StringComparison.Ordinal) && !known.Contains(name)
                && !name.EndsWith(RotaryBuffer, StringComparison.Ordinal))
                throw Unknown(source, config, name);
        }
    }

    /// <summary>The refusal of a layer's tensor that the architecture has no place for.</summary>
    public static ConfigException Unknown(string source, ModelConfig config, string name) => new(
        $"{source}: tensor '{OneLine.Of(name)}' has no place in a layer of {config.Family} as its configuration says it is: without it "
            + "this would be another model");

    private static HashSet<string> KnownNames(ModelConfig config)
    {
        var known = new HashSet<string>(StringComparer.Ordinal);
        foreach (var shape in TransformerShapes.Of(config).Layers.SelectMany(layer => layer.All))
        {
            known.Add(shape.Name);
            if (shape.Role != WeightRole.Projection) continue;
            known.Add(shape.BiasName);
            if (config.Quantization is { } packing)
                known.UnionWith(AwqLayout.TensorsOf(shape, packing.Bits, packing.GroupOf(shape.Columns)).Select(part => part.Name));
        }
        return known;
    }

    private static int? NumberOf(string name)
    {
        if (!name.StartsWith(Prefix, StringComparison.Ordinal)) return null;
        var digits = name.AsSpan(Prefix.Length);
        var end = digits.IndexOf('.');
        return end > 0 && int.TryParse(digits[..end], NumberStyles.None, CultureInfo.InvariantCulture, out var layer) ? layer : null;
    }
}
