using System.Globalization;
using KvPareto.Engine;
using KvPareto.Sweep.Cluster;

namespace KvPareto.Cli.Terminal;

/// <summary>How far a run is, as lines or JSON.</summary>
internal static class StatusText
{
    private const int MostShown = 20;

    /// <summary>Counts, then the trials that are being measured and those that failed.</summary>
    public static void Show(CommandContext context, RunProgress progress)
    {
        Line(string.Create(
            CultureInfo.InvariantCulture,
            $"{progress.Heading}: {progress.Done} of {CountText.Of(progress.Planned, "trial")} done, {progress.Failed.Count} failed, "
                + $"{(progress.Dropped > 0 ? $"{progress.Dropped} dropped, " : "")}"
                + $"{progress.Held.Count} being measured, {progress.Waiting} waiting"));
        foreach (var trial in progress.Held.Take(MostShown))
        {
            Line($"  {trial.Trial}");
            Line(string.Create(
                CultureInfo.InvariantCulture,
                $"    {Samples(trial)}, {trial.Holder}{Helping(trial.Helpers)}, "
                    + $"{(trial.IsQuiet ? "no sign of life" : "last sign")} {(int)trial.Age.TotalSeconds} s ago"));
        }
        if (progress.Held.Count > MostShown) Line($"  and {progress.Held.Count - MostShown} more; --json has them");
        foreach (var (trial, reason) in progress.Failed.Take(MostShown)) Line($"  failed: {trial}: {reason}");
        if (progress.Failed.Count > MostShown) Line($"  and {progress.Failed.Count - MostShown} more; --json has them");
        if (progress.Left is { } left)
            Line($"about {(int)left.TotalHours}:{left.Minutes:D2}:{left.Seconds:D2} left with the workers of now");
        else if (progress.Held.Count == 0 && progress.Waiting > 0)
            Line("nobody works on it; kvpareto sweep --resume goes on");

        void Line(string text) => context.Output.WriteLine(TerminalText.OneLine(text));
    }

    private static string Samples(HeldTrial trial) => trial.Planned > 0
        ? $"{trial.Samples} of {CountText.Of(trial.Planned, "sample")}" : CountText.Of(trial.Samples, "sample");

    private static string Helping(int workers) => workers switch
    {
        0 => "",
        1 => " and 1 that helps",
        _ => string.Create(CultureInfo.InvariantCulture, $" and {workers} that help"),
    };

    /// <summary>One JSON object.</summary>
    public static void WriteJson(CommandContext context, RunProgress progress) => context.Output.WriteLine(JsonText.Of(new
    {
        name = progress.Name,
        startedAt = progress.StartedAt,
        limit = progress.Limit,
        planned = progress.Planned,
        done = progress.Done,
        failed = progress.Failed.Select(failure => new { trial = failure.Trial, reason = failure.Reason }),
        dropped = progress.Dropped,
        held = progress.Held.Select(trial => new
        {
            trial = trial.Trial,
            samples = trial.Samples,
            plannedSamples = trial.Planned,
            holder = trial.Holder,
            helpers = trial.Helpers,
            secondsSinceLastSign = (int)trial.Age.TotalSeconds,
        }),
        waiting = progress.Waiting,
        workers = progress.Workers,
        secondsLeft = progress.Left is { } left ? (long?)left.TotalSeconds : null,
    }));
}
