using KvPareto.Engine.Model;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Settings;
using KvPareto.Sweep.Config;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Trials;

/// <summary>Whether a setting can be used with an architecture on a device.</summary>
internal static class SettingFit
{
    /// <summary>Refuses groups that do not divide the widths they run along, and caches that the device does not support.</summary>
    /// <exception cref="ConfigException">Names model, setting, and what is allowed.</exception>
    public static void Check(string model, ModelConfig config, InferenceSetting setting, Backend backend)
    {
        try
        {
            backend.Check(config.Geometry, setting.Cache);
            setting.Weights.Validate(config);
            CheckWeights(config, setting.Weights);
        }
        catch (ConfigException e)
        {
            throw new ConfigException($"setting {setting.Name} with model '{model}': {e.Message}", e);
        }
    }

    /// <summary>The same for a model of a config, whose place the message begins with.</summary>
    /// <exception cref="ConfigException">Names place, model, setting, and what is allowed.</exception>
    public static void Check(ModelEntry model, ModelConfig config, InferenceSetting setting, Backend backend)
    {
        try
        {
            Check(model.Name, config, setting, backend);
        }
        catch (ConfigException e)
        {
            throw new ConfigException($"{model.Place}: {e.Message}", e);
        }
    }

    private static void CheckWeights(ModelConfig config, WeightSpec weights)
    {
        if (!weights.IsCoded || weights.Divides(config, weights.Group)) return;
        var fitting =
            string.Join(", ", WeightSpec.Groups.Where(group => weights.Divides(config, group)).Select(group => $"w{weights.Bits}g{group}"));
        throw new ConfigException($"weight group {weights.Group} does not divide all of the coded weights' input widths"
            + $" {string.Join(", ", weights.CodedWidths(config))}; allowed: w16{(fitting.Length == 0 ? "" : ", " + fitting)}");
    }
}
