using KvPareto.Engine;
using KvPareto.Sweep.Answers.Checks;

namespace KvPareto.Cli.Terminal;

/// <summary>What <c>kvpareto frontier --check</c> found, as lines or JSON.</summary>
internal static class CheckText
{
    /// <summary>Each setting that got worse, with what got worse below it, and a line with the count.</summary>
    public static void Show(CommandContext context, FrontierCheck check, string earlier)
    {
        var worse = check.Points.Where(point => point.Worse.Count > 0).ToList();
        foreach (var model in worse.GroupBy(point => point.Model))
        {
            context.Output.WriteLine(TerminalText.OneLine($"{model.Key}:"));
            foreach (var point in model)
            {
                context.Output.WriteLine($"  {point.Setting}");
                foreach (var words in point.Worse) context.Output.WriteLine(TerminalText.OneLine($"    {words}"));
            }
        }
        context.Output.WriteLine(TerminalText.OneLine(
            $"{worse.Count} of {CountText.Of(check.Points.Count, "setting")} worse than in {Path.GetFileName(earlier)}, "
                + $"{check.Points.Count(point => point.IsBetter)} better"));
    }

    /// <summary>One JSON object with every setting of the earlier run.</summary>
    public static void WriteJson(CommandContext context, FrontierCheck check) => context.Output.WriteLine(JsonText.Of(new
    {
        worse = check.Points.Count(point => point.Worse.Count > 0),
        settings = check.Points.Select(point => new
        {
            model = point.Model,
            setting = point.Setting,
            worse = point.Worse,
            isBetter = point.IsBetter,
            peakBytes = point.PeakBytes,
            score = point.Score,
            earlierPeakBytes = point.EarlierPeakBytes,
            earlierScore = point.EarlierScore,
        }),
    }));
}
