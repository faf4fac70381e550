using KvPareto.Text.Input;

namespace KvPareto.Engine.Settings;

/// <summary>
/// Short names: the parts of <see cref="SettingAxes.All"/> in their order, joined by '-', for example
/// <c>w4g64a16-e8-k4v2-kch32-vt64-smooth-rotkv-clip96-sink4-recent64-edge2-c256-math</c>. Weights and bits are always there; what is at
/// its default is left out, and so is the granularity of a side at 16 bits.
/// </summary>
internal static class SettingName
{
    private const char Separator = '-';

    private static string Allowed { get; } =
        "a setting looks like w4a16-k8v4-t64-smooth-c256: in this order "
        + string.Join("; ", SettingAxes.All.Where(axis => axis.PartWords is not null).Select(axis => axis.PartWords))
        + "; all but weights and bits only where wanted";

    public static string Format(InferenceSetting setting) =>
        string.Join(Separator, SettingAxes.All.SelectMany(axis => axis.Parts(setting)));

    public static InferenceSetting Parse(string name)
    {
        var rest = new Queue<string>(name.Split(Separator));
        var setting = new InferenceSetting();
        foreach (var axis in SettingAxes.All) setting = axis.Take(setting, rest) ?? throw Unreadable(name, rest);
        if (rest.Count > 0) throw Unreadable(name, rest);
        if (!setting.Weights.IsCoded && setting.Weights != Model.WeightSpec.Full with { Form = setting.Weights.Form })
            throw new ConfigException($"setting '{OneLine.Of(name)}': the weights have a group, but nothing is coded; {Allowed}");
        return setting;
    }

    private static ConfigException Unreadable(string name, Queue<string> rest) =>
        new($"setting '{OneLine.Of(name)}': "
            + $"{(rest.TryPeek(out var part) ? $"'{OneLine.Of(part)}' is not understood here" : "a part is missing")}; {Allowed}");
}
