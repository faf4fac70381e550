using KvPareto.Engine;
using KvPareto.Engine.Generation;
using KvPareto.Engine.Model;
using KvPareto.Sweep.Config;

namespace KvPareto.Sweep.Trials;

/// <summary>Whether a setting can be used with an architecture.</summary>
internal static class SettingFit
{
    private static readonly int[] WeightGroups = [32, 64, 128];

    /// <summary>Refuses groups that do not divide the widths they run along.</summary>
    /// <exception cref="ConfigException">Names model, setting, width and the groups that do.</exception>
    public static void Check(ModelEntry model, ModelConfig config, InferenceSetting setting)
    {
        try
        {
            setting.Cache.Validate(config.HeadDim);
        }
        catch (ConfigException e)
        {
            throw new ConfigException($"{model.Place}: setting {setting.Name} with model '{model.Name}': {e.Message}", e);
        }
        if (setting.Weights.Bits == 16) return;

        int[] widths = [config.HiddenSize, config.QueryHeads * config.HeadDim, config.FeedForwardSize];
        if (Array.TrueForAll(widths, width => width % setting.Weights.Group == 0)) return;
        var fitting = WeightGroups.Where(group => Array.TrueForAll(widths, width => width % group == 0)).ToArray();
        throw new ConfigException($"{model.Place}: setting {setting.Name} with model '{model.Name}': weight group {setting.Weights.Group} does not divide all of"
            + $" its layers' input widths {string.Join(", ", widths)}; allowed: {(fitting.Length == 0 ? "w16 only" : string.Join(", ", fitting.Select(group => $"w4g{group}")))}");
    }
}
