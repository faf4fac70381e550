using System.Globalization;
using System.Text;
using KvPareto.Sweep.Fidelity;
using KvPareto.Sweep.Reports.Pictures;
using KvPareto.Sweep.Storage;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Reports;

/// <summary>
/// Writes <c>fidelity.csv</c>, <c>fidelity.md</c> (a table for a page) and the picture <c>fidelity</c> from rows alone. Settings of one
/// model, text, length and window are compared with each other; other models stand beside them.
/// </summary>
public static class FidelityReport
{
    /// <summary>Writes the report; the same rows give the same bytes, whatever their order.</summary>
    /// <param name="folder">Made where it is not there.</param>
    /// <param name="rows">At least one.</param>
    /// <param name="formats">Kinds of pictures to write.</param>
    /// <returns>Full paths of the files written.</returns>
    /// <exception cref="ConfigException">The folder cannot be written, or the tables are written but what draws the picture is not
    /// there.</exception>
    public static IReadOnlyList<string> Write(string folder, IReadOnlyList<FidelityRow> rows, IReadOnlyList<PictureFormat> formats)
    {
        var points = FidelityPoint.Of(rows);
        var figure = new FidelityFigure(points);
        var files = new List<string>();
        try
        {
            Directory.CreateDirectory(folder);
            Save("fidelity.csv", figure.Csv());
            Save("fidelity.md", Encoding.UTF8.GetBytes(Markdown(points)));
            files.AddRange(FigureWriter.Write(folder, figure, formats));
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

    private static string Markdown(IReadOnlyList<FidelityPoint> points)
    {
        var text = new StringBuilder();
        for (var first = 0; first < points.Count;)
        {
            FidelityPoint[] compared = [.. points.Skip(first).TakeWhile(point => point.IsBeside(points[first]))];
            if (first > 0) text.Append('\n');
            if (compared.Length < points.Count) text.Append(CultureInfo.InvariantCulture, $"{Heading(compared[0].Row)}\n\n");
            AppendTable(text, compared);
            first += compared.Length;
        }
        return text.ToString();
    }

    private static string Heading(FidelityRow row) =>
        string.Create(CultureInfo.InvariantCulture, $"{row.Model}, {row.Text}: {row.Tokens} tokens in windows of {row.Window}");

    private static void AppendTable(StringBuilder text, IReadOnlyList<FidelityPoint> points)
    {
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
    }
}
