using System.Globalization;
using KvPareto.Sweep.Fidelity;

namespace KvPareto.Sweep.Reports;

/// <summary><c>fidelity.csv</c>: one line a setting. docs/fidelity.md tells every column's unit and meaning.</summary>
internal static class FidelityCsv
{
    private static readonly IReadOnlyList<CsvColumn<FidelityPoint>> Columns =
    [
        new("model", point => point.Row.Model) { IsText = true },
        new("text", point => point.Row.Text) { IsText = true },
        new("tokens", point => CsvFormat.Whole(point.Row.Tokens)),
        new("window", point => CsvFormat.Whole(point.Row.Window)),
        new("setting", point => point.Row.Setting) { IsText = true },
        new("bits_per_element", point => Fixed(point.Row.BitsPerElement, 4)),
        new("bytes_per_token", point => Fixed(point.Row.BytesPerToken, 2)),
        new("weight_bytes", point => CsvFormat.Whole(point.Row.WeightBytes)),
        new("ppl", point => Fixed(point.Row.Ppl, 5)),
        new("reference_ppl", point => Fixed(point.Row.ReferencePpl, 5)),
        new("kl_mean", point => Digits(point.Row.KlMean)),
        new("kl_p50", point => Digits(point.Row.KlP50)),
        new("kl_p99", point => Digits(point.Row.KlP99)),
        new("kl_max", point => Digits(point.Row.KlMax)),
        new("top1", point => Fixed(point.Row.Top1, 6)),
        new("ppl_second_half", point => Fixed(point.Row.PplSecondHalf, 5)),
        new("kl_second_half", point => Digits(point.Row.KlSecondHalf)),
        new("frontier", point => CsvFormat.Flag(point.OnFrontier)),
    ];

    /// <summary>The whole file, by rising bits.</summary>
    public static byte[] Write(IReadOnlyList<FidelityPoint> points) => CsvTable.Write(Columns, points);

    private static string Digits(double value) => value.ToString("G7", CultureInfo.InvariantCulture);

    private static string Fixed(double value, int decimals) => Math.Round(value, decimals).ToString(CultureInfo.InvariantCulture);
}
