using System.Globalization;
using KvPareto.Engine;
using KvPareto.Sweep.Reports;
using KvPareto.Sweep.Results;
using KvPareto.Sweep.Runs;
using Spectre.Console;

namespace KvPareto.Cli.Terminal;

/// <summary>The table that a sweep or a report ends with.</summary>
internal static class ClosingTable
{
    private const int MostNames = 5;

    private static readonly FittedTable<SummaryRow> Table = new(
        [
            new("", 0, Mark)
                { IsText = true, Style = row =>
                row.Failure is not null ? new Style(Color.Red) : row.OnFrontier ? new Style(Color.Yellow) : null },
            new("setting", 0, row => row.Setting) { IsText = true },
            new("peak", 1, row => row.PeakBytes is { } bytes ? ByteText.Of(bytes) : ""),
            new("saved", 3, row => Number(row.MemorySavedPercent, "F1", " %")),
            new("score", 2, row => Number(row.Score, "F2")),
            new("95 % interval", 5, row =>
                row.Interval is { } interval ? $"{Number(interval.Low, "F1")} – {Number(interval.High, "F1")}" : ""),
            new("loss", 4, row => Number(row.ScoreLoss, "F2")),
            new("dominated", 6, row => row.OnFrontier ? "" : Number(100 * row.DominatedConfidence, "F0", " %")),
            new("first token", 7, row => Number(row.TtftMs, "F1", " ms")),
            new("later", 8, row => Number(row.TpotMs, "F2", " ms")),
        ],
        "results.csv has them");

    /// <summary>Every trial by model and memory, a star on the frontier and the baseline named; then what was written and what should be
    /// known.</summary>
    public static void Show(CommandContext context, RunHistory history, ReportSummary summary)
    {
        ShowTables(context, summary);
        foreach (var line in Notes(history).Concat(summary.Messages)) context.Error.WriteLine(TerminalText.OneLine(line));
        foreach (var file in summary.Files) context.Output.WriteLine(TerminalText.OneLine(file));
    }

    /// <summary>A table for each model, and below it why trials failed.</summary>
    public static void ShowTables(CommandContext context, ReportSummary summary)
    {
        foreach (var model in summary.Models)
        {
            context.Error.WriteLine(TerminalText.OneLine(Heading(model)));
            SummaryRow[] rows = [.. summary.Rows.Where(row => row.Model == model.Model && !row.IsDropped)];
            Table.Write(context.Console, context.ErrorWidth(), rows);
            foreach (var row in rows.Where(row => row.Failure is not null))
                context.Error.WriteLine(TerminalText.OneLine($"{row.Setting}: {row.Failure}"));
            context.Error.WriteLine();
        }
    }

    /// <summary>What should be known of a run, one line each.</summary>
    public static IEnumerable<string> Notes(RunHistory history) =>
    [
        .. history.Missing.Count == 0 ? [] : (ReadOnlySpan<string>)
            [$"{history.Missing.Count} of {CountText.Of(history.Planned, "trial")} without a result yet: {Some(history.Missing)}; "
                + "--resume measures " + (history.Missing.Count == 1 ? "it" : "them")],
        .. history.Messages, .. history.Remarks,
    ];

    private static string Some(IReadOnlyList<string> names) =>
        string.Join(", ", names.Take(MostNames)) + (names.Count > MostNames ? $" and {names.Count - MostNames} more" : "");

    private static string Heading(ModelSummary model) => model is { Points: 0, Unscored: > 0 }
        ? $"{model.Model}: {CountText.Of(model.Unscored, "setting")}, without a score"
        : string.Create(
            CultureInfo.InvariantCulture,
            $"{model.Model}: {model.FrontierPoints} of {CountText.Of(model.Points, "setting")} on the frontier, "
            + $"hypervolume {model.HypervolumePercent:F1} %"
            + $"{(model.Dropped > 0 ? $"; {model.Dropped} dropped, results.csv says why" : "")}");

    private static string Mark(SummaryRow row) =>
        row.Failure is not null ? "failed" : PlaceMark.Of(row.OnFrontier, row.IsBaseline);

    private static string Number(double? value, string format, string unit = "") =>
        value is { } number ? number.ToString(format, CultureInfo.InvariantCulture) + unit : "";
}
