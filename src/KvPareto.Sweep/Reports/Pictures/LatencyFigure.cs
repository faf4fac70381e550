namespace KvPareto.Sweep.Reports.Pictures;

/// <summary>Time to the first token and of each later token over the context: figure 5 of KV Pareto (arXiv 2512.01953).</summary>
/// <param name="run">Name of the run or model, for the heading.</param>
/// <param name="points">The settings at each length.</param>
internal sealed class LatencyFigure(string run, IReadOnlyList<LengthPoint> points) : LengthFigure(points)
{
    private static readonly IReadOnlyList<CsvColumn<LengthPoint>> Columns =
    [
        new("model", point => point.Model) { IsText = true },
        new("setting", point => point.Setting) { IsText = true },
        new("baseline", point => CsvFormat.Flag(point.IsBaseline)),
        new("context", point => CsvFormat.Whole(point.Context)),
        new("samples", point => CsvFormat.Whole(point.Samples)),
        new("ttft_ms", point => CsvFormat.Milliseconds(point.FirstToken?.Median)),
        new("ttft_sd_ms", point => CsvFormat.Milliseconds(point.FirstToken?.Deviation)),
        new("tpot_ms", point => CsvFormat.Milliseconds(point.LaterToken?.Median)),
        new("tpot_sd_ms", point => CsvFormat.Milliseconds(point.LaterToken?.Deviation)),
    ];

    /// <inheritdoc/>
    public override string Name => "latency";

    /// <inheritdoc/>
    public override string Title => $"{run}: time over context";

    /// <inheritdoc/>
    public override IReadOnlyList<string> Facts => ["medians; bars: standard deviation", .. base.Facts];

    /// <inheritdoc/>
    protected override IReadOnlyList<Quantity> Quantities { get; } =
    [
        new("first token", point => point.FirstToken?.Median, point => point.FirstToken?.Deviation,
            values => Axis.Logarithmic(values.Min(), values.Max(), "Time to the first token (ms)")),
        new("later token", point => point.LaterToken?.Median, point => point.LaterToken?.Deviation,
            values => Axis.Logarithmic(values.Min(), values.Max(), "Time of a later token (ms)")),
    ];

    /// <inheritdoc/>
    public override byte[] Csv() => CsvTable.Write(Columns, Points);
}
