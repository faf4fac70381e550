using System.Globalization;
using KvPareto.Sweep;

namespace KvPareto.Cli.Terminal;

/// <summary>Shows a running sweep: a line for each trial that has ended and, on a terminal, what is going on below them.</summary>
internal static class SweepProgress
{
    /// <summary>Runs a sweep under the display that fits where standard error goes.</summary>
    public static RunHistory Show(CommandContext context, Func<IProgress<SweepEvent>, RunHistory> run)
    {
        var capabilities = context.Console.Profile.Capabilities;
        if (context.ErrorWidth() is null || !capabilities.Ansi || !capabilities.Interactive) return run(new PlainLines(context.Error));
        using var live =
            new LiveProgress(new LiveBlock(context.Console.Profile.Out.Writer, () => context.ErrorWidth() ?? LiveProgress.DefaultWidth));
        return run(live);
    }

    private sealed class PlainLines(TextWriter output) : IProgress<SweepEvent>
    {
        private readonly TimeLeft _time = new();

        public void Report(SweepEvent value)
        {
            switch (value)
            {
                case WeightsMade made:
                    output.WriteLine(TrialText.Making(made));
                    break;
                case SweepPlanned planned:
                    _time.Begin();
                    output.WriteLine(TrialText.Planned(planned));
                    break;
                case TrialEnded ended:
                    _time.Expect(ended.Left);
                    output.WriteLine($"{Line(ended)}  {TimeLeft.Text(_time.Elapsed)} gone, {TimeLeft.Text(_time.Left)} left");
                    break;
                case SweepWaiting waiting:
                    output.WriteLine(TrialText.Waiting(waiting));
                    break;
            }
        }

        private static string Line(TrialEnded ended) => TerminalText.OneLine(string.Create(
            CultureInfo.InvariantCulture,
            $"[{ended.Trial,3}/{ended.Trials}] {ended.Result.Model,-17} "
            + $"{ContextText.Of(ended.Result.Setting, ended.Result.Context),-32} {TrialText.Outcome(ended.Result)}"));
    }
}
