using System.Globalization;
using KvPareto.Sweep;
using KvPareto.Sweep.Reports;
using Spectre.Console;

namespace KvPareto.Cli.Terminal;

/// <summary>The table that a sweep or a report ends with.</summary>
internal static class ClosingTable
{
    /// <summary>Every trial by model and memory, a star on the frontier; then what was written and what should be known.</summary>
    public static void Show(CommandContext context, RunHistory history, ReportSummary summary)
    {
        foreach (var model in summary.Models)
        {
            // Plain text: markup would read embedded:llama: as an emoji.
            context.Console.WriteLine(Heading(model));
            context.Console.Write(Table([.. summary.Rows.Where(row => row.Model == model.Model)]));
            context.Console.WriteLine();
        }
        if (history.Results.Count < history.Planned) context.Error.WriteLine($"{history.Planned - history.Results.Count} of {history.Planned} trials have no result yet; --resume measures them");
        foreach (var message in summary.Messages) context.Error.WriteLine(message);
        foreach (var file in summary.Files) context.Output.WriteLine(file);
    }

    private static string Heading(ModelSummary model) => string.Create(
        CultureInfo.InvariantCulture, $"{model.Model}: {model.FrontierPoints} of {model.Points} settings on the frontier, hypervolume {model.HypervolumePercent:F1} %");

    private static Table Table(IReadOnlyList<SummaryRow> rows)
    {
        var table = new Table().Border(TableBorder.Simple);
        table.AddColumn("");
        table.AddColumn("setting");
        foreach (var name in new[] { "peak", "saved", "score", "95 % interval", "loss", "dominated", "first token", "later" }) table.AddColumn(new TableColumn(name).RightAligned().NoWrap());
        foreach (var row in rows) AddRow(table, row);
        return table;
    }

    private static void AddRow(Table table, SummaryRow row)
    {
        var mark = row.OnFrontier ? "[yellow]★[/]" : row.IsBaseline ? "base" : "";
        if (row.Failure is not null)
        {
            table.AddRow(new Markup("[red]failed[/]"), new Spectre.Console.Text(row.Setting), new Spectre.Console.Text(row.Failure));
            return;
        }
        table.AddRow(
            new Markup(mark),
            new Spectre.Console.Text(row.Setting),
            new Spectre.Console.Text(row.PeakBytes is { } bytes ? ByteText.Of(bytes) : ""),
            new Spectre.Console.Text(Number(row.MemorySavedPercent, "F1", " %")),
            new Spectre.Console.Text(Number(row.Score, "F2")),
            new Spectre.Console.Text(row.Interval is { } interval ? $"{Number(interval.Low, "F1")} – {Number(interval.High, "F1")}" : ""),
            new Spectre.Console.Text(Number(row.ScoreLoss, "F2")),
            new Spectre.Console.Text(row.OnFrontier ? "" : Number(100 * row.DominatedConfidence, "F0", " %")),
            new Spectre.Console.Text(Number(row.TtftMs, "F1", " ms")),
            new Spectre.Console.Text(Number(row.TpotMs, "F2", " ms")));
    }

    private static string Number(double? value, string format, string unit = "") =>
        value is { } number ? number.ToString(format, CultureInfo.InvariantCulture) + unit : "";
}
