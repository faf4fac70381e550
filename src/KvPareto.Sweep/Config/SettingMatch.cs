using System.IO.Enumeration;
using KvPareto.Engine.Settings;
using KvPareto.Text.Yaml;

namespace KvPareto.Sweep.Config;

/// <summary>A pattern over settings, of <c>include</c> or <c>exclude</c>.</summary>
/// <param name="Place">Where it stands.</param>
/// <param name="Values">What a setting is compared with: one pattern, or the values of all axes.</param>
/// <param name="Matches">True for the settings it means, each given with its short name.</param>
internal sealed record SettingMatch(ConfigValue Place, int Values, Func<InferenceSetting, string, bool> Matches)
{
    private const string Allowed = "a short name with * and ?, such as w4*-k4v4-*, or a mapping such as {cache: k2v2, smooth: false}";

    private const int MostCharacters = 200;

    /// <summary>Reads a short name with wildcards, or a mapping of axes to a value or a list of values.</summary>
    public static SettingMatch Read(ConfigValue value)
    {
        if (value.Node is YamlScalar) return new(value, 1, Glob(value));
        if (value.Node is not YamlMapping { Values.Count: > 0 }) throw value.Error("is no pattern", Allowed);

        var map = value.Map([.. SettingAxes.Keys]);
        var (tests, values) = (new List<Func<InferenceSetting, bool>>(), 0);
        foreach (var axis in SettingAxes.All)
        {
            if (map.Find(axis.Key) is not { } found) continue;
            string[] wanted = found.Node is YamlSequence ? [.. found.List(Allowed).Select(item => SweepAxes.Word(axis, item))]
                : [SweepAxes.Word(axis, found)];
            values += wanted.Length;
            tests.Add(setting => wanted.Any(word => axis.Has(setting, word)));
        }
        return new(value, values, (setting, _) => tests.TrueForAll(test => test(setting)));
    }

    private static Func<InferenceSetting, string, bool> Glob(ConfigValue value)
    {
        var pattern = value.Text(Allowed);
        if (pattern.Length > MostCharacters)
            throw value.Error($"has {pattern.Length} characters", $"a pattern of at most {MostCharacters}");
        var expression = pattern.Replace("\\", "\\\\", StringComparison.Ordinal);
        return (_, name) => FileSystemName.MatchesSimpleExpression(expression, name, ignoreCase: false);
    }
}
