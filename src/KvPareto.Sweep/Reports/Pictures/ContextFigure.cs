namespace KvPareto.Sweep.Reports.Pictures;

/// <summary>Peak and score over the context.</summary>
/// <param name="run">Name of the run, for the heading.</param>
/// <param name="points">The settings at each length.</param>
internal sealed class ContextFigure(string run, IReadOnlyList<LengthPoint> points) : LengthFigure(points)
{
    private static readonly IReadOnlyList<CsvColumn<LengthPoint>> Columns =
    [
        new("model", point => point.Model) { IsText = true },
        new("setting", point => point.Setting) { IsText = true },
        new("baseline", point => CsvFormat.Flag(point.IsBaseline)),
        new("context", point => CsvFormat.Whole(point.Context)),
        new("samples", point => CsvFormat.Whole(point.Samples)),
        new("score", point => CsvFormat.Points(point.Score)),
        new("total_peak_bytes", point => CsvFormat.Whole(point.PeakBytes)),
    ];

    /// <inheritdoc/>
    public override string Name => "context";

    /// <inheritdoc/>
    public override string Title => $"{run}: {(IsScored ? "peak and score" : "peak")} over context";

    /// <inheritdoc/>
    public override IReadOnlyList<string> Facts =>
        [.. IsScored ? (string[])["mean over the samples of each length"] : [], .. base.Facts];

    /// <inheritdoc/>
    protected override IReadOnlyList<Quantity> Quantities => IsScored ? [Peak, Score] : [Peak];

    private bool IsScored => Points.Any(point => point.Score is not null);

    private static Quantity Peak { get; } =
        new("peak", point => point.PeakBytes, _ => null, values => Axis.BytesFromZero((long)values.Max()));

    private static Quantity Score { get; } =
        new("score", point => point.Score, _ => null, values => Axis.Score(values.Min(), values.Max()));

    /// <inheritdoc/>
    public override byte[] Csv() => CsvTable.Write(Columns, Points);
}
