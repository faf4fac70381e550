using KvPareto.Sweep.Frontier;

namespace KvPareto.Sweep.Reports.Pictures;

/// <summary>Two quantities of settings over the length of prompts, side by side, a pair of panels for each model.</summary>
internal abstract class LengthFigure : Figure
{
    private const int MostLines = 8;
    private const int MostModels = 6;

    private readonly IReadOnlyList<LengthPoint> _points;
    private readonly SettingLook _look;

    /// <summary>The figure of points; those without lengths far apart are not drawn.</summary>
    protected LengthFigure(IReadOnlyList<LengthPoint> points)
    {
        _points = points;
        var settings = Settings.Select(FrontierAnalysis.SettingOf).ToList();
        _look = new(settings, settings);
    }

    /// <inheritdoc/>
    public override string? Missing => LengthPoints.AreWorthDrawing(_points)
        ? null
        : _points.Count == 0 ? "no prompt was measured, or the run's samples are not there" : "all prompts are about as long as each other";

    /// <inheritdoc/>
    public override IReadOnlyList<string> Facts =>
        [.. _look.CommonFacts, .. Omitted > 0 ? (string[])[$"{Omitted} more in {Name}.csv"] : []];

    /// <inheritdoc/>
    public override int PanelColumns => 2;

    /// <inheritdoc/>
    public override (float Width, float Height) PlotSize => (215, 180);

    /// <inheritdoc/>
    public override IEnumerable<IReadOnlyList<LegendEntry>> Legend =>
        [[.. Settings.Select((setting, i) => LegendEntry.Swatch(Label(setting), Look.Palette[i]))]];

    /// <summary>All points.</summary>
    protected IReadOnlyList<LengthPoint> Points => _points;

    /// <summary>What the panels show upwards, left and right: a name, the value of a point, its spread, and the axis over all
    /// values.</summary>
    protected abstract IReadOnlyList<Quantity> Quantities { get; }

    private int Omitted => _points.Select(point => point.Setting).Distinct().Count() - Settings.Count;

    // The baselines first, then as they come.
    private List<string> Settings =>
        [.. _points.OrderBy(point => !point.IsBaseline).Select(point => point.Setting).Distinct().Take(MostLines)];

    /// <inheritdoc/>
    public override IReadOnlyList<Panel> Panels() =>
    [
        .. from model in _points.Select(point => point.Model).Distinct().Take(MostModels)
           from quantity in Quantities
           select Draw(model, quantity),
    ];

    private string Label(string setting) => _points.Any(point => point.Setting == setting && point.IsBaseline)
        ? $"{setting} (baseline)" : _look.LabelOf(setting, FrontierAnalysis.SettingOf(setting));

    private Panel Draw(string model, Quantity quantity)
    {
        var own = _points.Where(point => point.Model == model).ToList();
        var values = own.Where(point => Settings.Contains(point.Setting)).SelectMany(quantity.Range).ToList();
        var contexts = Axis.Logarithmic(own.Min(point => point.Context), own.Max(point => point.Context), "Tokens of the prompt");
        if (values.Count == 0) return new Panel(contexts, Axis.Score(0, 100), model, "not measured");
        var panel = new Panel(contexts, quantity.Axis(values), model, quantity.Name);
        foreach (var (setting, i) in Settings.Select((setting, i) => (setting, i)))
        {
            var line = own.Where(point => point.Setting == setting && quantity.Value(point) is not null).OrderBy(point => point.Context)
                .ToList();
            panel.AddLine([.. line.Select(point => panel.At(point.Context, quantity.Value(point)!.Value))], Look.Palette[i], 1.4f);
            foreach (var point in line)
            {
                var value = quantity.Value(point)!.Value;
                if (quantity.Range(point).ToList() is [var low, _, var high])
                    panel.AddInterval(point.Context, low, high, Look.Palette[i]);
                var at = panel.At(point.Context, value);
                new PointMarker(PointShape.Circle, Starred: false).AddTo(panel.Plot, at.X, at.Y, Look.Palette[i]);
            }
        }
        return panel;
    }

    /// <summary>What a panel shows upwards.</summary>
    /// <param name="Name">In words.</param>
    /// <param name="Value">Of a point; null where there is none.</param>
    /// <param name="Spread">How far up and down it varies; null where that is not known.</param>
    /// <param name="Axis">Over all values, at least one.</param>
    protected sealed record Quantity(
        string Name, Func<LengthPoint, double?> Value, Func<LengthPoint, double?> Spread, Func<IReadOnlyList<double>, Axis> Axis)
    {
        /// <summary>The value, between the ends of its spread where it has one; none where there is no value.</summary>
        public IEnumerable<double> Range(LengthPoint point)
        {
            if (Value(point) is not { } value) return [];
            // A logarithmic axis has no place for what would lie below 0.
            return Spread(point) is > 0 and var spread && spread < value ? [value - spread, value, value + spread] : [value];
        }
    }
}
