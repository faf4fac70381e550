using KvPareto.Engine.Settings;
using KvPareto.Sweep.Frontier;
using KvPareto.Sweep.Reports.Pictures;
using ScottPlot;

namespace KvPareto.Sweep.Answers.Objectives;

/// <summary>Settings over the first two objectives, a panel for each model; the third is colour.</summary>
internal sealed class ObjectiveFigure : Figure
{
    private const int LegendSteps = 5;

    /// <summary>Largest over smallest value from which on colours follow the logarithm.</summary>
    private const double LogarithmicFrom = 4;

    private static readonly ScottPlot.Colormaps.Viridis Colours = new();

    private readonly TaskSelection _selection;
    private readonly IReadOnlyList<ObjectiveFrontier> _models;
    private readonly IReadOnlyList<Objective> _objectives;
    private readonly string _run;
    private readonly SettingLook _look;

    /// <summary>The figure of an analysis.</summary>
    /// <param name="run">Name of the run, for the heading.</param>
    /// <param name="analysis">The settings, with two or three objectives.</param>
    /// <param name="objectives">The objectives.</param>
    public ObjectiveFigure(string run, ObjectiveAnalysis analysis, IReadOnlyList<Objective> objectives)
    {
        (_run, _selection, _objectives) = (run, analysis.Selection, objectives);
        _models = [.. analysis.Models.Where(model => model.Points.Count > 0).Take(FrontierFigure.MaxPanels)];
        var points = _models.SelectMany(model => model.Points).ToList();
        _look = new(points.Select(Setting), points.Where(point => point.OnFrontier).Select(Setting));
    }

    /// <inheritdoc/>
    public override string Name => "frontier-" + string.Join('-', _objectives.Select(objective => objective.Name));

    /// <inheritdoc/>
    public override string? Missing => _models.Count == 0 ? "no setting has a value for every objective" : null;

    /// <inheritdoc/>
    public override string Title => $"{_run}: {string.Join(", ", _objectives.Select(objective => objective.Heading))}";

    /// <inheritdoc/>
    public override IReadOnlyList<string> Facts =>
    [
        "stars: no other setting is as good in every objective and better in one",
        .. Colour is { } colour ? [$"colour: {colour.Heading}"] : Array.Empty<string>(),
        .. _objectives.Any(objective => objective.Name == ObjectiveCatalog.Score)
            ? ["score: " + _selection.Words(_models.SelectMany(model => model.Points).Select(point => point.Trial))]
            : Array.Empty<string>(),
        .. _look.CommonFacts,
    ];

    /// <inheritdoc/>
    public override int PanelColumns => FrontierFigure.ColumnsFor(_models.Count);

    /// <inheritdoc/>
    public override (float Width, float Height) PlotSize => (356, _models.Count == 1 ? 260 : 210);

    /// <inheritdoc/>
    public override IEnumerable<IReadOnlyList<LegendEntry>> Legend
    {
        get
        {
            if (Colour is not { } colour) yield break;
            yield return
            [
                new(colour.Heading + ":"),
                .. Enumerable.Range(0, LegendSteps).Select(step => step / (LegendSteps - 1.0))
                    .Select(share => LegendEntry.Swatch(colour.Text(ValueAt(share)), Colours.GetColor(share))),
            ];
        }
    }

    private Objective? Colour => _objectives.Count > 2 ? _objectives[2] : null;

    private double Low => _models.Min(model => model.Points.Min(point => point.Values[2]));

    private double High => _models.Max(model => model.Points.Max(point => point.Values[2]));

    private bool IsLogarithmic => Low > 0 && High > LogarithmicFrom * Low;

    /// <inheritdoc/>
    public override byte[] Csv() => ObjectiveCsv.Write(_models, _objectives);

    /// <inheritdoc/>
    public override IReadOnlyList<Panel> Panels() => [.. _models.Select(Draw)];

    private static InferenceSetting? Setting(ObjectivePoint point) => FrontierAnalysis.SettingOf(point.Trial);

    private Panel Draw(ObjectiveFrontier model)
    {
        Axis Of(int objective) => _objectives[objective].Axis([.. model.Points.Select(point => point.Values[objective])]);
        var panel = new Panel(
            Of(0), Of(1), model.Model, FormattableString.Invariant($"hypervolume {model.HypervolumePercent:0.0} %"));
        // The frontier's points over the others.
        foreach (var point in model.Points.OrderBy(point => point.OnFrontier))
        {
            var at = panel.At(point.Values[0], point.Values[1]);
            new PointMarker(PointShape.Circle, point.OnFrontier).AddTo(panel.Plot, at.X, at.Y, ColorOf(point));
        }
        panel.Plot.Add.Plottable(new LabelLayer
        {
            Names =
            [
                .. model.Points.Where(point => point.OnFrontier).Select(point => new PointName(
                    panel.At(point.Values[0], point.Values[1]), Look.StarRadius, _look.LabelOf(point.Trial.Setting, Setting(point)))),
            ],
            Obstacles =
            [
                .. model.Points.Where(point => !point.OnFrontier)
                    .Select(point => (panel.At(point.Values[0], point.Values[1]), Look.DotRadius)),
            ],
            Lines = [],
            MissingNote = missing => FormattableString.Invariant($"{missing} more in the table"),
        });
        return panel;
    }

    private Color ColorOf(ObjectivePoint point)
    {
        if (Colour is null) return point.OnFrontier ? Look.Palette[0] : Look.NoValue;
        return Colours.GetColor(High > Low ? ShareOf(point.Values[2]) : 0);
    }

    private double ShareOf(double value) =>
        IsLogarithmic ? Math.Log(value / Low) / Math.Log(High / Low) : (value - Low) / (High - Low);

    private double ValueAt(double share) => IsLogarithmic ? Low * Math.Pow(High / Low, share) : Low + share * (High - Low);
}
