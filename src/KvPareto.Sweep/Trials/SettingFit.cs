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
            setting.Cache.Validate(config.Geometry);
            CheckWeights(config, setting.Weights);
        }
        catch (ConfigException e)
        {
            throw new ConfigException($"{model.Place}: setting {setting.Name} with model '{model.Name}': {e.Message}", e);
        }
    }

    private static void CheckWeights(ModelConfig config, WeightSpec weights)
    {
        int[] widths = [config.HiddenSize, config.QueryHeads * config.HeadDim, config.FeedForwardSize];
        if (weights.Bits == 16 || Divides(weights.Group)) return;
        var fitting = string.Join(", ", WeightGroups.Where(Divides).Select(group => $"w4g{group}"));
        throw new ConfigException($"weight group {weights.Group} does not divide all of the linear layers' input widths"
            + $" {string.Join(", ", widths)}; allowed: w16{(fitting.Length == 0 ? "" : ", " + fitting)}");

        bool Divides(int group) => Array.TrueForAll(widths, width => width % group == 0);
    }
}
