using System.Globalization;
using System.Text;
using KvPareto.Sweep.Journaling;
using KvPareto.Sweep.Reports;
using KvPareto.Sweep.Reports.Cairo;
using KvPareto.Sweep.Reports.Chart;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Fidelity;

/// <summary>
/// Writes <c>fidelity.csv</c>, <c>fidelity.md</c> (a table for a page) and <c>fidelity.png</c> from rows alone. Settings of one model,
/// text, length and window are compared with each other; there must be one such group only.
/// </summary>
public static class FidelityReport
{
    private static readonly IReadOnlyList<CsvColumn<FidelityPoint>> Columns =
    [
        new("setting", point => point.Row.Setting),
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

    /// <summary>Writes the report; the same rows give the same bytes, whatever their order.</summary>
    /// <param name="folder">Made where it is not there.</param>
    /// <param name="rows">At least one.</param>
    /// <param name="warn">Told why the picture is missing, where it is.</param>
    /// <returns>Full paths of the files written.</returns>
    /// <exception cref="ConfigException">The rows cannot be compared, or the folder cannot be written.</exception>
    public static IReadOnlyList<string> Write(string folder, IReadOnlyList<FidelityRow> rows, Action<string> warn)
    {
        var points = FidelityPoint.Of(rows);
        var picture = Draw(points, warn);
        var files = new List<string>();
        try
        {
            Directory.CreateDirectory(folder);
            Save("fidelity.csv", CsvTable.Write(Columns, points));
            Save("fidelity.md", Encoding.UTF8.GetBytes(Markdown(points)));
            // A picture of an earlier report would contradict the tables.
            if (picture is null) File.Delete(Path.Combine(folder, "fidelity.png"));
            else Save("fidelity.png", picture);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ConfigException($"{folder}: the report cannot be written: {error.Message}", error);
        }
        return files;

        void Save(string name, byte[] content)
        {
            var path = Path.GetFullPath(Path.Combine(folder, name));
            AtomicFile.Write(path, content);
            files.Add(path);
        }
    }

    private static byte[]? Draw(IReadOnlyList<FidelityPoint> points, Action<string> warn)
    {
        try
        {
            return FidelityChart.ToPng(points);
        }
        catch (Exception error) when (error is DllNotFoundException or EntryPointNotFoundException or BadImageFormatException)
        {
            warn($"fidelity.png was not drawn: it needs {CairoNative.Library}; install the package {CairoNative.Package}");
        }
        catch (CairoException error)
        {
            warn($"fidelity.png was not drawn: {error.Message}");
        }
        return null;
    }

    private static string Markdown(IReadOnlyList<FidelityPoint> points)
    {
        var text = new StringBuilder();
        text.Append("| | setting | bits per element | bytes per token | perplexity | KL mean | KL p50 | KL p99 | KL max | top-1 % |\n");
        text.Append("|---|---|--:|--:|--:|--:|--:|--:|--:|--:|\n");
        foreach (var (row, onFrontier) in points)
        {
            text.Append(CultureInfo.InvariantCulture, $"| {(onFrontier ? "★" : "")} | `{row.Setting}` ");
            text.Append(CultureInfo.InvariantCulture, $"| {row.BitsPerElement:F3} | {row.BytesPerToken:F0} | {row.Ppl:F3} ");
            foreach (var divergence in new[] { row.KlMean, row.KlP50, row.KlP99, row.KlMax })
                text.Append(CultureInfo.InvariantCulture, $"| {divergence:G3} ");
            text.Append(CultureInfo.InvariantCulture, $"| {100 * row.Top1:F2} |\n");
        }
        return text.ToString();
    }

    private static string Digits(double value) => value.ToString("G7", CultureInfo.InvariantCulture);

    private static string Fixed(double value, int decimals) => Math.Round(value, decimals).ToString(CultureInfo.InvariantCulture);
}
