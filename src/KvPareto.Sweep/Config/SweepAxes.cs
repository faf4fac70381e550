using KvPareto.Engine.Settings;

namespace KvPareto.Sweep.Config;

/// <summary>The values to combine, axis by axis in the order of <see cref="SettingAxes.All"/>, each list in the config's order.</summary>
/// <param name="Values">Each value sets its part of a setting.</param>
internal sealed record SweepAxes(IReadOnlyList<IReadOnlyList<Func<InferenceSetting, InferenceSetting>>> Values)
{
    /// <summary>Number of combinations, collapsed ones counted apart.</summary>
    public double Count => Values.Aggregate(1.0, (product, axis) => product * axis.Count);

    /// <summary>All combinations, the first axis outermost.</summary>
    public IEnumerable<InferenceSetting> Product() => Values.Aggregate(
        (IEnumerable<InferenceSetting>)[new InferenceSetting()],
        (settings, axis) => settings.SelectMany(setting => axis.Select(set => set(setting))));

    /// <summary>Reads a mapping of axes to lists of values.</summary>
    public static SweepAxes Read(ConfigValue value)
    {
        var map = value.Map([.. SettingAxes.Keys]);
        var values = new List<IReadOnlyList<Func<InferenceSetting, InferenceSetting>>>();
        foreach (var axis in SettingAxes.All)
        {
            if (map.Find(axis.Key) is not { } found) continue;
            if (axis.Covers.FirstOrDefault(key => map.Find(key) is not null) is { } covered)
                throw found.Error($"and '{covered}' say the same", "one of them");
            values.Add([.. found.List($"a list of {axis.Words}").Select(item => Setter(axis, item))]);
        }
        return new(values);
    }

    /// <summary>The word of an axis, checked.</summary>
    public static string Word(SettingAxis axis, ConfigValue value)
    {
        var word = value.Text(axis.Words);
        return axis.Set(new(), word) is not null ? word : throw value.Error($"has the unknown value '{word}'", axis.Words);
    }

    private static Func<InferenceSetting, InferenceSetting> Setter(SettingAxis axis, ConfigValue value)
    {
        var word = Word(axis, value);
        return setting => axis.Set(setting, word)!;
    }
}
