using KvPareto.Engine.Settings;
using ScottPlot;

namespace KvPareto.Sweep.Reports.Pictures;

/// <summary>
/// How the settings of a figure are told apart: the first two axes on which they really differ give colour and shape, and labels
/// name only what differs among those that have one. The baseline, which often differs from all others on axes of its own, decides
/// none of this.
/// </summary>
internal sealed class SettingLook
{
    private readonly List<FigureAxis> _named;
    private readonly FigureAxis? _color;
    private readonly FigureAxis? _shape;
    private readonly List<AxisValue> _colorValues = [];
    private readonly List<AxisValue> _shapeValues = [];

    /// <summary>The look of some settings; null stands for one whose name this version cannot read.</summary>
    /// <param name="all">All settings of the figure but the baseline.</param>
    /// <param name="named">Those of them that get a label.</param>
    public SettingLook(IEnumerable<InferenceSetting?> all, IEnumerable<InferenceSetting?> named)
    {
        InferenceSetting[] settings = [.. all.OfType<InferenceSetting>()];
        InferenceSetting[] labelled = [.. named.OfType<InferenceSetting>()];
        _named = [.. Varying(labelled).OrderBy(axis => axis.Place)];
        var common = FigureAxis.All.Select(choice => choice[0]).OrderBy(axis => axis.Place)
            .Where(axis => _named.TrueForAll(other => other.Place != axis.Place))
            .Select(axis => labelled.Select(axis.PartOf).FirstOrDefault(part => part.Length > 0)).OfType<string>();
        var varying = Varying(settings).ToList();
        Common = _named.Count == 0 ? "" : string.Join('-', common);
        _color = varying.Find(axis => Values(axis, settings).Count <= Look.Palette.Count);
        if (_color is not null) _colorValues = Values(_color, settings);
        _shape = varying.Find(axis => axis != _color && Values(axis, settings).Count <= Enum.GetValues<PointShape>().Length);
        if (_shape is not null) _shapeValues = Values(_shape, settings);
    }

    /// <summary>What all labelled settings share, as names have it; labels leave it out. Empty where labels are whole names.</summary>
    public string Common { get; }

    /// <summary>The same as a fact of a figure; none where labels are whole names.</summary>
    public IEnumerable<string> CommonFacts => Common.Length > 0 ? [$"names leave out what all share: {Common}"] : [];

    /// <summary>The axis that colour stands for, with all its values and their colours; null where nothing varies.</summary>
    public (string Title, IReadOnlyList<(string Text, Color Color)> Values)? Colors => _color is null
        ? null
        : (_color.Title, [.. _colorValues.Select((value, i) => (value.Text, ColorAt(i)))]);

    /// <summary>The axis that shape stands for, with all its values and their shapes; null where only one axis varies.</summary>
    public (string Title, IReadOnlyList<(string Text, PointShape Shape)> Values)? Shapes => _shape is null
        ? null
        : (_shape.Title, [.. _shapeValues.Select((value, i) => (value.Text, (PointShape)i))]);

    /// <summary>The colour of a setting; grey where its value is none of the others', or its name cannot be read.</summary>
    public Color ColorOf(InferenceSetting? setting)
    {
        if (setting is null) return Look.NoValue;
        if (_color is null) return Look.Palette[0];
        var place = Place(_color, _colorValues, setting);
        return place >= 0 ? ColorAt(place) : Look.NoValue;
    }

    /// <summary>The shape of a setting.</summary>
    public PointShape ShapeOf(InferenceSetting? setting) =>
        setting is null || _shape is null ? PointShape.Circle : (PointShape)Math.Max(0, Place(_shape, _shapeValues, setting));

    /// <summary>The short name's parts that vary; the whole name where it cannot be read or nothing varies.</summary>
    public string LabelOf(string name, InferenceSetting? setting)
    {
        if (setting is null || _named.Count == 0) return name;
        var parts = string.Join('-', _named.Select(axis => axis.PartOf(setting)).Where(part => part.Length > 0));
        return parts.Length > 0 ? parts : name;
    }

    private Color ColorAt(int place) =>
        _color!.IsCacheBits ? Look.OfCacheBits((int)-_colorValues[place].Order) : Look.Palette[place];

    private static int Place(FigureAxis axis, List<AxisValue> values, InferenceSetting setting) =>
        axis.ValueOf(setting) is { } value ? values.FindIndex(other => other.Text == value.Text) : -1;

    /// <summary>The axes on which settings differ, in the order in which they take colour and shape.</summary>
    private static IEnumerable<FigureAxis> Varying(IReadOnlyList<InferenceSetting> settings) =>
        FigureAxis.All.Select(choice => choice.FirstOrDefault(axis => Values(axis, settings).Count > 1)).OfType<FigureAxis>();

    private static List<AxisValue> Values(FigureAxis axis, IEnumerable<InferenceSetting> settings) =>
    [
        .. settings.Select(axis.ValueOf).OfType<AxisValue>().DistinctBy(value => value.Text)
            .OrderBy(value => value.Order).ThenBy(value => value.Text, StringComparer.Ordinal),
    ];
}
