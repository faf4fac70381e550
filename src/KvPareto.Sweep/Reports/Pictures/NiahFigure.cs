using System.Globalization;
using KvPareto.Sweep.Frontier;
using ScottPlot;

namespace KvPareto.Sweep.Reports.Pictures;

/// <summary>
/// Needles found by prompt length and depth, the baseline beside the frontier's settings: figure 3 of KV Pareto (arXiv 2512.01953). A
/// setting that is on the frontier of one context has its needles of all.
/// </summary>
internal sealed class NiahFigure : Figure
{
    private const int MostPanels = 12;
    private const int LegendSteps = 6;
    private const float MostHeading = 420; // points; longer ones are cut

    private static readonly ScottPlot.Colormaps.Viridis Colours = new();

    private static readonly IReadOnlyList<CsvColumn<(Map Map, NeedleScore Score)>> Columns =
    [
        new("model", row => row.Map.Model) { IsText = true },
        new("setting", row => row.Map.Setting) { IsText = true },
        new("baseline", row => CsvFormat.Flag(row.Map.IsBaseline)),
        new("length", row => CsvFormat.Whole(row.Score.Length)),
        new("depth_percent", row => row.Score.Depth.ToString(CultureInfo.InvariantCulture)),
        new("samples", row => CsvFormat.Whole(row.Score.Samples)),
        new("score", row => CsvFormat.Points(row.Score.Score)),
    ];

    private readonly ReportOptions _options;
    private readonly List<Map> _maps;
    private readonly List<int> _lengths;
    private readonly List<double> _depths;
    private readonly SettingLook _look;

    /// <summary>The figure of an analysis.</summary>
    /// <param name="analysis">The trials.</param>
    /// <param name="options">Heading.</param>
    /// <param name="folder">The run's folder, whose samples tell lengths and depths.</param>
    public NiahFigure(FrontierAnalysis analysis, ReportOptions options, string folder)
    {
        _options = options;
        _maps =
        [
            .. from point in analysis.Models.SelectMany(model => model.Points.Reverse())
               group point by point.Trial.Model into model
               from same in model.GroupBy(point => point.Trial.Setting)
                   .OrderByDescending(same => same.Any(point => point.IsBaseline))
                   .ThenByDescending(same => same.Max(point => point.PeakBytes))
               let scores = NeedleScores.Of(same.SelectMany(point => options.SamplesOf(folder, point.Trial)))
               where scores.Count > 0
               select new Map(model.Key, same.Key, scores)
               {
                   IsBaseline = same.Any(point => point.IsBaseline),
                   IsDrawn = same.Any(point => point.IsBaseline || point.OnFrontier),
               },
        ];
        _lengths = [.. _maps.SelectMany(map => map.Scores).Select(score => score.Length).Distinct().Order()];
        _depths = [.. _maps.SelectMany(map => map.Scores).Select(score => score.Depth).Distinct().OrderDescending()];
        var named = Drawn.Where(map => !map.IsBaseline).Select(map => FrontierAnalysis.SettingOf(map.Setting)).ToList();
        _look = new(named, named);
    }

    /// <inheritdoc/>
    public override string Name => "niah";

    /// <inheritdoc/>
    public override string? Missing => _maps.Count == 0 ? "no trial looked for needles, or the run's samples are not there" : null;

    /// <inheritdoc/>
    public override string Title => $"{_options.Run}: needles found by length and depth";

    /// <inheritdoc/>
    public override IReadOnlyList<string> Facts =>
    [
        "score 0 to 100", "baseline first, then the frontier by falling peak",
        .. _look.CommonFacts,
    ];

    /// <inheritdoc/>
    public override int PanelColumns => 2;

    /// <inheritdoc/>
    public override (float Width, float Height) PlotSize
    {
        get
        {
            var heading = (float)Math.Ceiling(Drawn.Select(map => Look.PanelTitle.Width(HeadingOf(map))).DefaultIfEmpty().Max());
            var columns = Math.Clamp(34 * _lengths.Count, 140, 340);
            return (Math.Max(columns, Math.Min(heading, MostHeading)), Math.Clamp(20 * _depths.Count, 60, 240));
        }
    }

    /// <inheritdoc/>
    public override IEnumerable<IReadOnlyList<LegendEntry>> Legend =>
    [
        [
            .. Enumerable.Range(0, LegendSteps).Select(step => 100 * step / (LegendSteps - 1)).Select(score =>
                LegendEntry.Swatch(score.ToString(CultureInfo.InvariantCulture), Colours.GetColor(score / 100.0))),
        ],
    ];

    private IEnumerable<Map> Drawn => _maps.Where(map => map.IsDrawn).Take(MostPanels);

    /// <inheritdoc/>
    public override byte[] Csv() => CsvTable.Write(Columns, _maps.SelectMany(map => map.Scores.Select(score => (map, score))));

    /// <inheritdoc/>
    public override IReadOnlyList<Panel> Panels() => [.. Drawn.Select(Draw)];

    private string HeadingOf(Map map)
    {
        var name = map.IsBaseline
            ? FrontierBars.Label(map.Setting, isBaseline: true) : _look.LabelOf(map.Setting, FrontierAnalysis.SettingOf(map.Setting));
        return _maps.Any(other => other.Model != map.Model) ? $"{map.Model}: {name}" : name;
    }

    private Panel Draw(Map map)
    {
        var lengths =
            Axis.Categories([.. _lengths.Select(length => length.ToString(CultureInfo.InvariantCulture))], "Tokens of the prompt");
        var depths = Axis.Categories([.. _depths.Select(depth => depth.ToString(CultureInfo.InvariantCulture))], "Depth (%)");
        var panel = new Panel(lengths, depths, HeadingOf(map));
        var words = new List<(Coordinates, string, Color)>();
        foreach (var score in map.Scores)
        {
            var (column, row) = (_lengths.IndexOf(score.Length), _depths.IndexOf(score.Depth));
            var (from, to) = (panel.At(column - 0.5, row - 0.5), panel.At(column + 0.5, row + 0.5));
            panel.AddArea([from, new(to.X, from.Y), to, new(from.X, to.Y)], Colours.GetColor(score.Score / 100));
            words.Add((panel.At(column, row), score.Score.ToString("F0", CultureInfo.InvariantCulture), score.Score > 60 ? Look.Ink
                : Colors.White));
        }
        panel.Plot.Add.Plottable(new CellText(words));
        return panel;
    }

    private sealed record Map(string Model, string Setting, IReadOnlyList<NeedleScore> Scores)
    {
        public required bool IsBaseline { get; init; }

        public required bool IsDrawn { get; init; }
    }
}
