using System.Globalization;
using KvPareto.Engine;
using KvPareto.Sweep.Answers.Objectives;
using KvPareto.Sweep.Frontier;
using Spectre.Console;

namespace KvPareto.Cli.Terminal;

/// <summary>Frontiers of <c>kvpareto frontier</c> as tables or JSON.</summary>
internal static class FrontierText
{
    // The objectives stay longest; what is said of the samples' chance goes first.
    private const int IntervalRank = 90;
    private const int LossRank = 80;
    private const int DominatedRank = 70;

    /// <summary>A table for each model, a star on the frontier, the baseline named.</summary>
    public static void Show(CommandContext context, FrontierAnswer answer)
    {
        var plain = context.PlainOutput();
        var table = new FittedTable<FrontierRow>(
            [
                new("", 0, row => PlaceMark.Of(row.OnFrontier, row.IsBaseline)) { IsText = true },
                new("setting", 0, row => row.Setting) { IsText = true },
                .. answer.Headings.Select((heading, i) => new FittedColumn<FrontierRow>(heading, 1 + i, row => row.Texts[i])),
                new("95 % interval", IntervalRank, row => Interval(row.Interval)),
                new("loss", LossRank, row => row.ScoreLoss is { } loss ? Number(loss, "F2") : ""),
                new("dominated", DominatedRank, row => row.OnFrontier ? "" : Number(100 * row.DominatedConfidence, "F0") + " %"),
            ],
            "--csv and --json have them");
        foreach (var model in answer.Models)
        {
            context.Output.WriteLine(TerminalText.OneLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{model.Model}: {model.Rows.Count(row => row.OnFrontier)} of {CountText.Of(model.Rows.Count, "setting")} on the frontier, "
                    + $"hypervolume {model.HypervolumePercent:F1} %")));
            table.Write(plain, context.OutputWidth(), model.Rows);
            context.Output.WriteLine();
        }
    }

    /// <summary>One JSON object with every setting of every model.</summary>
    public static void WriteJson(CommandContext context, FrontierAnswer answer) => context.Output.WriteLine(JsonText.Of(new
    {
        models = answer.Models.Select(model => new
        {
            model = model.Model,
            hypervolumePercent = model.HypervolumePercent,
            reference = model.Reference,
            settings = model.Rows.Select(row => new
            {
                setting = row.Setting,
                values = row.Values,
                isBaseline = row.IsBaseline,
                onFrontier = row.OnFrontier,
                dominatedConfidence = row.DominatedConfidence,
                interval = JsonText.Ends(row.Interval),
                scoreLoss = row.ScoreLoss,
                scoreLossInterval = JsonText.Ends(row.ScoreLossInterval),
            }),
        }),
    }));

    private static string Interval(ScoreInterval? interval) =>
        interval is { } ends ? $"{Number(ends.Low, "F1")} – {Number(ends.High, "F1")}" : "";

    private static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
