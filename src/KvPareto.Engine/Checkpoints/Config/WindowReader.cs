using System.Collections.Immutable;
using KvPareto.Engine.Model.Families;
using KvPareto.Text.Input;

namespace KvPareto.Engine.Checkpoints.Config;

/// <summary>Reads from a Hugging Face <c>config.json</c> how many latest tokens each layer sees, by its family's rule.</summary>
internal static class WindowReader
{
    private const string WindowKey = "sliding_window";
    private const string FlagKey = "use_sliding_window";
    private const string FirstLayerKey = "max_window_layers";
    private const int DefaultFirstLayer = 28;

    private static readonly string[] LayerTypes = ["full_attention", "sliding_attention"];

    /// <summary>For each layer its window; 0 for all tokens.</summary>
    /// <exception cref="ConfigException">A value is out of range, or layers are to slide by no window.</exception>
    public static ImmutableArray<int> Read(JsonSection config, Family family, int layers, ImmutableArray<int> unturned)
    {
        if (family.Windows == WindowRule.Never) return [.. new int[layers]];
        var window = family.Windows == WindowRule.ByKey || config.Flag(FlagKey, false) ? Window(config, family) : 0;
        if (config.Words("layer_types", layers, LayerTypes) is { } types)
        {
            if (window == 0 && types.Contains("sliding_attention")) throw WithoutWindow(config, family);
            return [.. types.Select(type => type == "sliding_attention" ? window : 0)];
        }
        if (window == 0) return [.. new int[layers]];
        return family.Windows switch
        {
            WindowRule.ByKey => [.. Enumerable.Repeat(window, layers)],
            WindowRule.Unturned => [.. Enumerable.Range(0, layers).Select(layer => unturned.Contains(layer) ? window : 0)],
            _ => FromFirst(config.Integer(FirstLayerKey, 0, ModelConfigReader.MostPositions, DefaultFirstLayer)),
        };

        ImmutableArray<int> FromFirst(int first) => [.. Enumerable.Range(0, layers).Select(layer => layer >= first ? window : 0)];
    }

    private static int Window(JsonSection config, Family family) => config.Contains(WindowKey)
        ? config.Integer(WindowKey, 1, ModelConfigReader.MostPositions, 0)
        : family.DefaultWindow ?? 0;

    private static ConfigException WithoutWindow(JsonSection config, Family family)
    {
        if (family.Windows != WindowRule.ByKey && config.Has(WindowKey))
            return config.Refuse(
                FlagKey, $"true where layer_types has sliding_attention, or all of layer_types full_attention ({WindowKey} counts only "
                    + "with it)");
        return config.Refuse(
            WindowKey, $"a whole number from 1 to {ModelConfigReader.MostPositions} where layer_types has sliding_attention"
            + (family.Windows == WindowRule.ByKey ? "" : $" and {FlagKey} true"));
    }
}
