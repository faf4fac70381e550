using KvPareto.Engine.Settings;
using KvPareto.Sweep.Config;
using KvPareto.Text.Input;

namespace KvPareto.Sweep;

/// <summary>The settings that a config means, each once, always in the same order.</summary>
public static class SearchSpace
{
    private const int MaxSettings = 100_000;

    /// <summary>
    /// The baseline, then the axes' product (weights outermost, attention innermost) as include and exclude leave it, then the
    /// settings named one by one. Settings that differ only where it makes no difference are one.
    /// </summary>
    /// <exception cref="ConfigException">A pattern matches nothing, or there are too many settings.</exception>
    public static IReadOnlyList<InferenceSetting> Expand(SweepConfig config)
    {
        if (config.Axes is { Count: > MaxSettings } wide)
            throw new ConfigException($"{config.Name}: the axes make {wide.Count} settings; allowed: at most {MaxSettings}");
        var product = Distinct(config.Axes is null ? [] : config.Axes.Product());
        foreach (var pattern in config.Include.Concat(config.Exclude))
            if (!product.Any(setting => pattern.Matches(setting, setting.Name)))
                throw pattern.Place.Error($"matches none of the {product.Length} settings of the axes", "patterns that match");

        var chosen = product
            .Where(setting => config.Include.Count == 0 || config.Include.Any(pattern => pattern.Matches(setting, setting.Name)))
            .Where(setting => !config.Exclude.Any(pattern => pattern.Matches(setting, setting.Name)));
        return Distinct([config.Baseline, .. chosen, .. config.Settings]);
    }

    private static InferenceSetting[] Distinct(IEnumerable<InferenceSetting> settings) =>
        [.. settings.Select(SettingAxes.Collapse).DistinctBy(setting => setting.Name)];
}
