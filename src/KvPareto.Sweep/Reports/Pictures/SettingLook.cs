using KvPareto.Engine.Generation;
using ScottPlot;

namespace KvPareto.Sweep.Reports.Pictures;

/// <summary>
/// How the settings of a figure are told apart: the first two axes on which they really differ give colour and shape, and labels
/// name only what differs. The baseline, which often differs from all others on axes of its own, decides none of this.
/// </summary>
internal sealed class SettingLook
{
    private readonly List<SettingAxis> _varying = [];
    private readonly SettingAxis? _color;
    private readonly SettingAxis? _shape;
    private readonly List<AxisValue> _colorValues = [];
    private readonly List<AxisValue> _shapeValues = [];

    private SettingLook(IReadOnlyList<InferenceSetting> settings)
    {
        var common = new List<string>();
        foreach (var choice in SettingAxis.All)
        {
            var axis = choice.FirstOrDefault(axis => Values(axis, settings).Count > 1);
            if (axis is not null) _varying.Add(axis);
            else if (settings.Select(choice[0].PartOf).FirstOrDefault(part => part.Length > 0) is { } part) common.Add(part);
        }
        Common = string.Join('-', common);
        _color = _varying.Find(axis => Values(axis, settings).Count <= Look.Palette.Count);
        if (_color is not null) _colorValues = Values(_color, settings);
        _shape = _varying.Find(axis => axis != _color && Values(axis, settings).Count <= Enum.GetValues<PointShape>().Length);
        if (_shape is not null) _shapeValues = Values(_shape, settings);
    }

    /// <summary>What all settings share, as names have it; labels leave it out.</summary>
    public string Common { get; }

    /// <summary>The axis that colour stands for, with all its values and their colours; null where nothing varies.</summary>
    public (string Title, IReadOnlyList<(string Text, Color Color)> Values)? Colors => _color is null
        ? null
        : (_color.Title, [.. _colorValues.Select((value, i) => (value.Text, ColorAt(i)))]);

    /// <summary>The axis that shape stands for, with all its values and their shapes; null where only one axis varies.</summary>
    public (string Title, IReadOnlyList<(string Text, PointShape Shape)> Values)? Shapes => _shape is null
        ? null
        : (_shape.Title, [.. _shapeValues.Select((value, i) => (value.Text, (PointShape)i))]);

    /// <summary>The look of some settings; those whose names this version cannot read are left out.</summary>
    public static SettingLook Of(IEnumerable<InferenceSetting?> settings) => new([.. settings.OfType<InferenceSetting>()]);

    /// <summary>The colour of a setting; grey where it has no value on the axis or its name cannot be read.</summary>
    public Color ColorOf(InferenceSetting? setting)
    {
        if (setting is null) return Look.NoValue;
        if (_color is null) return Look.Palette[0];
        var place = Place(_color, _colorValues, setting);
        if (place >= 0) return ColorAt(place);
        return _color.IsCacheBits ? Look.OfCacheBits(SettingAxis.LowerBits(setting)) : Look.NoValue;
    }

    /// <summary>The shape of a setting.</summary>
    public PointShape ShapeOf(InferenceSetting? setting) =>
        setting is null || _shape is null ? PointShape.Circle : (PointShape)Math.Max(0, Place(_shape, _shapeValues, setting));

    /// <summary>The short name's parts that vary; the whole name where it cannot be read or nothing varies.</summary>
    public string LabelOf(string name, InferenceSetting? setting)
    {
        if (setting is null || _varying.Count == 0) return name;
        var parts = string.Join('-', _varying.Select(axis => axis.PartOf(setting)).Where(part => part.Length > 0));
        return parts.Length > 0 ? parts : name;
    }

    private Color ColorAt(int place) =>
        _color!.IsCacheBits ? Look.OfCacheBits((int)-_colorValues[place].Order) : Look.Palette[place];

    private static int Place(SettingAxis axis, List<AxisValue> values, InferenceSetting setting) =>
        axis.ValueOf(setting) is { } value ? values.FindIndex(other => other.Text == value.Text) : -1;

    private static List<AxisValue> Values(SettingAxis axis, IEnumerable<InferenceSetting> settings) =>
    [
        .. settings.Select(axis.ValueOf).OfType<AxisValue>().DistinctBy(value => value.Text)
            .OrderBy(value => value.Order).ThenBy(value => value.Text, StringComparer.Ordinal),
    ];
}
