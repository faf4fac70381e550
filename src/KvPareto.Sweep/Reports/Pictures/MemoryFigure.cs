using KvPareto.Engine.Seam;
using KvPareto.Sweep.Frontier;
using KvPareto.Sweep.Results;
using ScottPlot;

namespace KvPareto.Sweep.Reports.Pictures;

/// <summary>What the peak of the baseline and of each frontier setting is made of: figure 4 of KV Pareto (arXiv 2512.01953).</summary>
internal sealed class MemoryFigure : Figure
{
    private const double BarWidth = 0.72;

    private static readonly (string Name, Func<MemoryUse, long> Bytes, Color Color)[] Categories =
    [
        ("weights", use => use.Weights, Look.Palette[0]),
        ("KV cache", use => use.KvCache, Look.Palette[1]),
        ("activations", use => use.Activations, Look.Palette[2]),
        ("workspace", use => use.Workspace, Look.Palette[3]),
    ];

    private static readonly IReadOnlyList<CsvColumn<Row>> Columns =
    [
        new("model", row => row.Model) { IsText = true },
        new("setting", row => row.Setting) { IsText = true },
        new("baseline", row => CsvFormat.Flag(row.IsBaseline)),
        new("frontier", row => CsvFormat.Flag(row.OnFrontier)),
        new("total_peak_bytes", row => CsvFormat.Whole(row.Peak.Total)),
        new("weight_bytes", row => CsvFormat.Whole(row.Peak.Weights)),
        new("kv_cache_bytes", row => CsvFormat.Whole(row.Peak.KvCache)),
        new("activation_bytes", row => CsvFormat.Whole(row.Peak.Activations)),
        new("workspace_bytes", row => CsvFormat.Whole(row.Peak.Workspace)),
    ];

    private readonly FrontierAnalysis _analysis;
    private readonly ReportOptions _options;
    private readonly List<ModelFrontier> _models;

    /// <summary>The figure of an analysis.</summary>
    public MemoryFigure(FrontierAnalysis analysis, ReportOptions options)
    {
        (_analysis, _options) = (analysis, options);
        _models = [.. analysis.Models.Where(model => model.Points.Count + model.Unscored.Count > 0).Take(FrontierFigure.MaxPanels)];
    }

    /// <inheritdoc/>
    public override string Name => "memory";

    /// <inheritdoc/>
    public override string? Missing => _models.Count == 0 ? "no trial has a peak" : null;

    /// <inheritdoc/>
    public override string Title => $"{_options.Run}: what the total peak memory is made of";

    /// <inheritdoc/>
    public override IReadOnlyList<string> Facts =>
    [
        "live bytes at the moment of the peak",
        .. _models.Exists(model => model.Points.Count > 0) ? (string[])["baseline and frontier settings"] : [],
    ];

    /// <inheritdoc/>
    public override int PanelColumns => FrontierFigure.ColumnsFor(_models.Count);

    /// <inheritdoc/>
    public override (float Width, float Height) PlotSize => (250, 8 + 17 * _models.Max(model => Bars(model).Count));

    /// <inheritdoc/>
    public override IEnumerable<IReadOnlyList<LegendEntry>> Legend =>
        [[.. Categories.Select(category => LegendEntry.Swatch(category.Name, category.Color))]];

    /// <inheritdoc/>
    public override byte[] Csv() => CsvTable.Write(Columns, _analysis.Models.SelectMany(model =>
        model.Points.Select(point => Row.Of(model, point)).Concat(model.Unscored.Select(cost => Row.Of(model, cost)))));

    /// <inheritdoc/>
    public override IReadOnlyList<Panel> Panels() => _models.ConvertAll(Panel);

    private static Panel Panel(ModelFrontier model)
    {
        var bars = Bars(model);
        var bytes = Axis.BytesFromZero(bars.Max(row => row.Peak.Total));
        var panel = new Panel(bytes, Axis.Categories([.. bars.Select(Label)], ""), model.Model);
        for (var i = 0; i < bars.Count; i++)
        {
            var from = 0L;
            foreach (var category in Categories)
            {
                var to = from + category.Bytes(bars[i].Peak);
                var bar = panel.Plot.Add.Bar(new Bar
                {
                    Orientation = Orientation.Horizontal,
                    Position = panel.At(0, i).Y,
                    ValueBase = bytes.Share(from),
                    Value = bytes.Share(to),
                    Size = BarWidth / bars.Count,
                    FillColor = category.Color,
                    LineWidth = 0,
                });
                bar.Horizontal = true;
                from = to;
            }
        }
        return panel;
    }

    // Where nothing has a score there is no frontier: the baseline and the smallest of all settings.
    private static List<Row> Bars(ModelFrontier model) => model.Points.Count > 0
        ? FrontierBars.Of(model).ConvertAll(point => Row.Of(model, point))
        :
        [
            .. model.Unscored.Where(cost => cost.IsBaseline).Concat(model.Unscored.Where(cost => !cost.IsBaseline).Reverse()
                .TakeLast(FrontierBars.Most)).Select(cost => Row.Of(model, cost)),
        ];

    private static string Label(Row row) => $"{FrontierBars.Label(row.Setting, row.IsBaseline)}  {ByteText.Of(row.Peak.Total)}";

    private sealed record Row(string Model, string Setting, bool IsBaseline, bool OnFrontier, MemoryUse Peak)
    {
        public static Row Of(ModelFrontier model, FrontierPoint point) =>
            new(model.Model, point.Trial.Setting, point.IsBaseline, point.OnFrontier, point.Trial.Peaks.Inference);

        public static Row Of(ModelFrontier model, CostPoint cost) =>
            new(model.Model, cost.Trial.Setting, cost.IsBaseline, OnFrontier: false, cost.Trial.Peaks.Inference);
    }
}
