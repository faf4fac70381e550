using System.Globalization;
using KvPareto.Engine;
using KvPareto.Engine.Memory;
using KvPareto.Engine.Seam;
using KvPareto.Sweep.Results;
using Spectre.Console;

namespace KvPareto.Cli.Terminal;

/// <summary>The predictions for one model.</summary>
/// <param name="Model">Its name.</param>
/// <param name="Rows">By context and setting.</param>
/// <param name="PaperPercent">What a paper reports to be saved, or null.</param>
internal sealed record ModelPlan(string Model, IReadOnlyList<MemoryPlanRow> Rows, double? PaperPercent = null);

/// <summary>Predicted memory as tables or JSON.</summary>
internal static class PlanTable
{
    private const string SavedNote =
        "load: the peak of loading, a moment of its own; saved: less total peak than the model as it is stored with a 16-bit cache and "
        + "the prompt fed whole, scores materialised (math) or not (flash)";

    private const string PaperNote = "; paper: what KV Pareto reports, and the baseline's peak from which this setting would save as much";

    private static readonly FittedTable<(MemoryPlanRow Row, double? Paper)> Table = TableOf();

    private static readonly FittedTable<(MemoryPlanRow Row, double? Paper)> PaperTable = TableOf(
        new FittedColumn<(MemoryPlanRow Row, double? Paper)>("paper", 3, cells => cells.Paper is { } paper ? Percent(paper) : ""),
        new FittedColumn<(MemoryPlanRow Row, double? Paper)>(
            "from", 5, cells => Needed(cells.Row, cells.Paper) is { } needed ? ByteText.Of(needed) : ""));

    /// <summary>A table for each model and a line on what its figures are.</summary>
    public static void Show(CommandContext context, IReadOnlyList<ModelPlan> plans, int newTokens)
    {
        var plain = context.PlainOutput();
        foreach (var plan in plans.Where(plan => plan.Rows.Count > 0))
        {
            context.Output.WriteLine(TerminalText.OneLine(plan.Model));
            (plan.PaperPercent is null ? Table : PaperTable)
                .Write(plain, context.OutputWidth(), [.. plan.Rows.Select(row => (row, plan.PaperPercent))]);
            context.Output.WriteLine();
        }
        var note = plans.Any(plan => plan.PaperPercent is not null) ? SavedNote + PaperNote : SavedNote;
        WrappedText.Write(context, $"prompt and {CountText.Of(newTokens, "new token")}; {note}");
    }

    /// <summary>One JSON object with a row for each model, context and setting.</summary>
    public static void WriteJson(CommandContext context, IReadOnlyList<ModelPlan> plans, int newTokens)
    {
        var rows =
            from plan in plans
            from row in plan.Rows
            select new
            {
                model = plan.Model,
                setting = row.Setting.Name,
                context = row.Context,
                newTokens,
                peakPhase = Phase(row),
                peakBytes = JsonText.PeakBytes(row.Peaks, row.Peaks.Load),
                baselineBytes = new { math = row.MathBaseline, flash = row.FlashBaseline, paper = Needed(row, plan.PaperPercent) },
                savedPercent = new { math = row.SavedAgainstMath, flash = row.SavedAgainstFlash, paper = plan.PaperPercent },
            };
        context.Output.WriteLine(JsonText.Of(new { rows }));
    }

    private static FittedTable<(MemoryPlanRow Row, double? Paper)> TableOf(
        params ReadOnlySpan<FittedColumn<(MemoryPlanRow Row, double? Paper)>> last) => new(
        [
            new("setting", 0, cells => cells.Row.Setting.Name) { IsText = true },
            new("context", 1, cells => cells.Row.Context.ToString("N0", CultureInfo.InvariantCulture)),
            new("weights", 7, cells => ByteText.Of(cells.Row.Peak.Weights)),
            new("KV cache", 6, cells => ByteText.Of(cells.Row.Peak.KvCache)),
            new("activations", 10, cells => ByteText.Of(cells.Row.Peak.Activations)),
            new("workspace", 11, cells => ByteText.Of(cells.Row.Peak.Workspace)),
            new("peak", 2, cells => ByteText.Of(cells.Row.Peak.Total)),
            new("in", 9, cells => Phase(cells.Row)),
            new("load", 8, cells => ByteText.Of(cells.Row.Peaks.Load.Total)),
            new("saved (math)", 5, cells => Percent(cells.Row.SavedAgainstMath)),
            new("saved (flash)", 4, cells => Percent(cells.Row.SavedAgainstFlash)),
            .. last,
        ],
        "--json has them");

    private static long? Needed(MemoryPlanRow row, double? paper) =>
        paper is { } percent ? (long)Math.Round(row.Peak.Total / (1 - percent / 100)) : null;

    private static string Phase(MemoryPlanRow row) => row.Peaks.InferencePhase == MemoryPhase.Decode ? "decode" : "prefill";

    private static string Percent(double value) => value.ToString("F1", CultureInfo.InvariantCulture) + " %";
}
