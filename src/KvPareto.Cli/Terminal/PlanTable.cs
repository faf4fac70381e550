using System.Globalization;
using KvPareto.Engine.Memory;
using KvPareto.Engine.Seam;
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
    private const string SavedNote = "load: the peak of loading, a moment of its own; saved: less total peak than the model as it is stored with a 16-bit cache and the prompt fed whole, scores materialised (math) or not (flash)";

    /// <summary>A table for each model and a line on what its figures are.</summary>
    public static void Show(CommandContext context, IReadOnlyList<ModelPlan> plans, int newTokens)
    {
        foreach (var plan in plans.Where(plan => plan.Rows.Count > 0))
        {
            // Plain text: markup would read random:1: as an emoji.
            context.Output.WriteLine(plan.Model);
            context.Write(Table(plan));
            context.Output.WriteLine();
        }
        context.Output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"prompt and {newTokens} new tokens; {SavedNote}"));
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
                peakBytes = new
                {
                    total = row.Peak.Total,
                    weights = row.Peak.Weights,
                    kvCache = row.Peak.KvCache,
                    activations = row.Peak.Activations,
                    workspace = row.Peak.Workspace,
                    load = row.Peaks.Load.Total,
                    prefill = row.Peaks.Prefill.Total,
                    decode = row.Peaks.Decode.Total,
                },
                baselineBytes = new { math = row.MathBaseline, flash = row.FlashBaseline },
                savedPercent = new { math = row.SavedAgainstMath, flash = row.SavedAgainstFlash, paper = plan.PaperPercent },
            };
        context.Output.WriteLine(JsonText.Of(new { rows }));
    }

    private static Table Table(ModelPlan plan)
    {
        var table = new Table().Border(TableBorder.Simple);
        table.AddColumn(new TableColumn("setting").NoWrap());
        foreach (var name in new[] { "context", "weights", "KV cache", "activations", "workspace", "peak", "in", "load", "saved (math)", "saved (flash)" })
            table.AddColumn(new TableColumn(name).RightAligned().NoWrap());
        if (plan.PaperPercent is not null) table.AddColumn(new TableColumn("paper").RightAligned().NoWrap());
        foreach (var row in plan.Rows)
        {
            List<string> cells =
            [
                row.Setting.Name,
                row.Context.ToString("N0", CultureInfo.InvariantCulture),
                ByteText.Of(row.Peak.Weights),
                ByteText.Of(row.Peak.KvCache),
                ByteText.Of(row.Peak.Activations),
                ByteText.Of(row.Peak.Workspace),
                ByteText.Of(row.Peak.Total),
                Phase(row),
                ByteText.Of(row.Peaks.Load.Total),
                Percent(row.SavedAgainstMath),
                Percent(row.SavedAgainstFlash),
            ];
            if (plan.PaperPercent is { } reported) cells.Add(Percent(reported));
            table.AddRow([.. cells.Select(cell => new Spectre.Console.Text(cell))]);
        }
        return table;
    }

    private static string Phase(MemoryPlanRow row) => row.PeakPhase == MemoryPhase.Decode ? "decode" : "prefill";

    private static string Percent(double value) => value.ToString("F1", CultureInfo.InvariantCulture) + " %";
}
