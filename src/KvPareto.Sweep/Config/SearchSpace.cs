using KvPareto.Engine;
using KvPareto.Engine.Settings;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Config;

/// <summary>The settings that a config means, each once, always in the same order.</summary>
public static class SearchSpace
{
    private const int MaxSettings = 100_000;
    private const long MaxComparisons = 20_000_000;

    /// <summary>
    /// The baseline, then the axes' product (weights outermost, attention innermost) as include and exclude leave it, then the
    /// settings named one by one. Settings that differ only where it makes no difference are one.
    /// </summary>
    /// <param name="config">Config.</param>
    /// <param name="model">One of its models, which may have weights of its own; null for none.</param>
    /// <exception cref="ConfigException">A pattern matches nothing, or there are too many settings.</exception>
    public static IReadOnlyList<InferenceSetting> Expand(SweepConfig config, ModelEntry? model = null)
    {
        var product = Product(config, model);
        return Distinct([config.Baseline, .. Chosen(config, model, product), .. config.Settings]);
    }

    private static InferenceSetting[] Product(SweepConfig config, ModelEntry? model)
    {
        if (config.Axes is null && model?.Weights is null) return [];
        var axes = (config.Axes ?? new SweepAxes([])).For(model);
        if (axes.Count > MaxSettings)
            throw config.Error("axes", $"makes {axes.Count} settings", $"at most {MaxSettings}");
        return Distinct(axes.Product());
    }

    private static IEnumerable<InferenceSetting> Chosen(SweepConfig config, ModelEntry? model, InferenceSetting[] product)
    {
        SettingMatch[] patterns = [.. config.Include, .. config.Exclude];
        if (patterns.Length == 0) return product;
        var comparisons = patterns.Sum(pattern => (long)pattern.Values) * product.Length;
        if (comparisons > MaxComparisons)
            throw patterns[0].Place.Error(
                $"is one of {CountText.Of(patterns.Length, "pattern")} over {CountText.Of(product.Length, "setting")}, {comparisons} "
                    + "comparisons",
                $"at most {MaxComparisons}");

        string[] names = [.. product.Select(setting => setting.Name)];
        var included = new bool[product.Length];
        if (config.Include.Count == 0) Array.Fill(included, true);
        foreach (var (index, pattern) in patterns.Index())
        {
            var (isInclude, any) = (index < config.Include.Count, false);
            for (var i = 0; i < product.Length; i++)
            {
                if (!pattern.Matches(product[i], names[i])) continue;
                (any, included[i]) = (true, isInclude);
            }
            if (!any && !MatchesElsewhere(config, model, pattern))
                throw pattern.Place.Error(
                    $"matches none of the {CountText.Of(product.Length, "setting")} of the axes", "patterns that match");
        }
        return product.Where((_, i) => included[i]);
    }

    // Models with weights of their own have settings that others lack.
    private static bool MatchesElsewhere(SweepConfig config, ModelEntry? model, SettingMatch pattern) =>
        model is not null && config.Models.Where(other => other != model && other.Weights != model.Weights)
            .Any(other => Product(config, other).Any(setting => pattern.Matches(setting, setting.Name)));

    private static InferenceSetting[] Distinct(IEnumerable<InferenceSetting> settings) =>
        [.. settings.Select(SettingAxes.Collapse).DistinctBy(setting => setting.Name)];
}
