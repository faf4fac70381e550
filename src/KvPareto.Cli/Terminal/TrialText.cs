using System.Globalization;
using KvPareto.Engine;
using KvPareto.Sweep.Results;
using KvPareto.Sweep.Running;
using KvPareto.Sweep.Runs;

namespace KvPareto.Cli.Terminal;

/// <summary>What came of a trial, in words.</summary>
internal static class TrialText
{
    /// <summary>Score and peak, or why there are none.</summary>
    public static string Outcome(TrialResult result) => result is { Probe: true, Status: TrialStatus.Ok }
        ? string.Create(CultureInfo.InvariantCulture, $"probed: {result.Score:F2} % of the likeliest tokens as without quantization")
        : result.Status == TrialStatus.Ok
        ? string.Create(CultureInfo.InvariantCulture,
            $"score {(result.Score is { } score ? score.ToString("F2", CultureInfo.InvariantCulture) : "-"),6}  "
            + $"peak {ByteText.Of(result.Peaks.Inference.Total),9}")
        : result.Status == TrialStatus.Dropped ? $"dropped: {result.Failure}" : $"FAILED: {result.Failure}";

    /// <summary>How much a sweep is, and of how much it is limited to.</summary>
    public static string Planned(SweepPlanned planned) =>
        $"{CountText.Of(planned.Trials, "trial")}, {CountText.Of(planned.Samples, "sample")}"
        + (planned.Limit is { } limit ? $" ({RunHistory.LimitWords(limit)}: --limit)" : "")
        + $"; {CountText.Of(planned.TrialsDone, "trial")} done before";

    /// <summary>How far weights are that a sweep makes before its trials.</summary>
    public static string Making(WeightsMade made) => TerminalText.OneLine(string.Create(
        CultureInfo.InvariantCulture, $"making {made.Form} of {made.Model}: layer {made.Layer} of {made.Layers}"));

    /// <summary>That a worker ended before the sweep did, and what comes of its trials.</summary>
    public static string Gone(WorkerGone gone) => TerminalText.OneLine(
        $"{gone.Worker} ended{(gone.ExitCode is { } code ? string.Create(CultureInfo.InvariantCulture, $" with exit code {code}") : "")}: "
        + $"{gone.Reason}; " + gone.Others switch
        {
            0 => "no worker is left",
            1 => "the other one takes its trials",
            _ => string.Create(CultureInfo.InvariantCulture, $"the other {gone.Others} take its trials"),
        });

    /// <summary>For whom a worker that has nothing left to do waits.</summary>
    public static string Waiting(SweepWaiting waiting) => TerminalText.OneLine(waiting.Trials == 1
        ? $"waiting for 1 trial that another worker has: {waiting.Holder}"
        : string.Create(
            CultureInfo.InvariantCulture,
                $"waiting for {waiting.Trials} trials that other workers have, the first of them {waiting.Holder}"));
}
