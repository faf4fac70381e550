using System.Globalization;
using KvPareto.Engine.Model;
using KvPareto.Text.Input;

namespace KvPareto.Engine.Checkpoints;

/// <summary>Refuses a checkpoint of more decoder layers than its configuration has: it would be run as another, shorter model.</summary>
internal static class LayerNumbers
{
    private const string Prefix = "model.layers.";

    /// <exception cref="ConfigException">A tensor is of a layer beyond the last; names it.</exception>
    public static void Check(string source, ModelConfig config, IEnumerable<string> names)
    {
        foreach (var name in names)
            if (NumberOf(name) is { } layer && layer >= config.LayerCount)
                throw new ConfigException($"{source}: tensor '{OneLine.Of(name)}' is of layer {layer}, counted from 0; the configuration "
                    + $"has {config.LayerCount} layers");
    }

    private static int? NumberOf(string name)
    {
        if (!name.StartsWith(Prefix, StringComparison.Ordinal)) return null;
        var digits = name.AsSpan(Prefix.Length);
        var end = digits.IndexOf('.');
        return end > 0 && int.TryParse(digits[..end], NumberStyles.None, CultureInfo.InvariantCulture, out var layer) ? layer : null;
    }
}
