using System.Globalization;
using KvPareto.Sweep.Results;
using KvPareto.Sweep.Running;

namespace KvPareto.Cli.Terminal;

/// <summary>Shows a running sweep: a line for each trial that has ended and, on a terminal, what is going on below them.</summary>
internal static class SweepProgress
{
    /// <summary>The display that fits where standard error goes; to be disposed where it can be.</summary>
    public static IProgress<SweepEvent> On(CommandContext context)
    {
        var capabilities = context.Console.Profile.Capabilities;
        return context.ErrorWidth() is null || !capabilities.Ansi || !capabilities.Interactive
            ? new PlainLines(context.Error)
            : new LiveProgress(new LiveBlock(context.Console.Profile.Out.Writer, () => context.ErrorWidth() ?? LiveProgress.DefaultWidth));
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
                case SweepWaiting { Worker: null } waiting:
                    output.WriteLine(TrialText.Waiting(waiting));
                    break;
                case WorkerGone gone:
                    output.WriteLine(TrialText.Gone(gone));
                    break;
            }
        }

        private static string Line(TrialEnded ended) => TerminalText.OneLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{(ended.Worker is { } worker ? worker + " " : "")}[{ended.Trial,3}/{ended.Trials}] {ended.Result.Model,-17} "
            + $"{ContextText.Of(ended.Result.Setting, ended.Result.Context),-32} {TrialText.Outcome(ended.Result)}"));
    }
}
