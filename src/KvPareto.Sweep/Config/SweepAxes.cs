using KvPareto.Engine.Settings;
using KvPareto.Text.Yaml;

namespace KvPareto.Sweep.Config;

/// <summary>The values of one axis, in the config's order.</summary>
/// <param name="Axis">The axis.</param>
/// <param name="Setters">Each value sets its part of a setting.</param>
internal sealed record AxisValues(SettingAxis Axis, IReadOnlyList<Func<InferenceSetting, InferenceSetting>> Setters);

/// <summary>The values to combine, axis by axis in the order of <see cref="SettingAxes.All"/>.</summary>
/// <param name="Values">One entry for each axis that the config has.</param>
internal sealed record SweepAxes(IReadOnlyList<AxisValues> Values)
{
    /// <summary>Variants of weights that the axes bring to every model without a list of its own.</summary>
    public IReadOnlyList<WeightVariant> Variants { get; init; } = [];

    /// <summary>Number of combinations, collapsed ones counted apart.</summary>
    public double Count => Values.Aggregate(1.0, (product, axis) => product * axis.Setters.Count);

    /// <summary>All combinations, the first axis outermost.</summary>
    public IEnumerable<InferenceSetting> Product() => Values.Aggregate(
        (IEnumerable<InferenceSetting>)[new InferenceSetting()],
        (settings, axis) => settings.SelectMany(setting => axis.Setters.Select(set => set(setting))));

    /// <summary>The same with a model's own weights, where it has any.</summary>
    public SweepAxes For(ModelEntry? model) => model?.Weights is not { } weights
        ? this
        : new([weights, .. Values.Where(values => values.Axis != weights.Axis)]);

    /// <summary>Reads a mapping of axes to lists of values.</summary>
    /// <param name="value">The mapping.</param>
    /// <param name="weights">Reads the list of weights.</param>
    public static SweepAxes Read(ConfigValue value, WeightListReader weights)
    {
        var map = value.Map([.. SettingAxes.Keys]);
        var values = new List<AxisValues>();
        IReadOnlyList<WeightVariant> variants = [];
        foreach (var axis in SettingAxes.All)
        {
            if (map.Find(axis.Key) is not { } found) continue;
            if (axis.Covers.FirstOrDefault(key => map.Find(key) is not null) is { } covered)
                throw found.Error($"and '{covered}' say the same", "one of them");
            if (axis == WeightListReader.Axis)
            {
                (var list, variants) = weights.Read(found);
                values.Add(list);
            }
            else values.Add(new(axis, [.. found.List($"a list of {axis.Words}").Select(item => Setter(axis, item))]));
        }
        return new(values) { Variants = variants };
    }

    /// <summary>The word of an axis, checked.</summary>
    public static string Word(SettingAxis axis, ConfigValue value)
    {
        var word = value.Text(axis.Words);
        return axis.Set(new(), word) is not null ? word : throw value.Error($"has the unknown value '{word}'", axis.Words);
    }

    /// <summary>What sets the word of an axis, checked.</summary>
    public static Func<InferenceSetting, InferenceSetting> Setter(SettingAxis axis, ConfigValue value)
    {
        var word = Word(axis, value);
        return setting => axis.Set(setting, word)!;
    }
}
