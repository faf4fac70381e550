using System.Globalization;
using KvPareto.Engine;
using KvPareto.Sweep.Config;
using KvPareto.Sweep.Preview;
using KvPareto.Sweep.Results;
using KvPareto.Sweep.Runs;
using Spectre.Console;

namespace KvPareto.Cli.Terminal;

/// <summary>What a sweep would do, as tables or JSON.</summary>
internal static class PreviewText
{
    private static readonly FittedTable<PreviewedTrial> Table = new(
        [
            new("setting", 0, Name) { IsText = true },
            new("samples", 2, trial => Whole(trial.Samples)),
            new("done", 4, trial => trial.Status ?? (trial.SamplesDone > 0 ? Whole(trial.SamplesDone) : "")),
            new("predicted peak", 1, trial => trial.PredictedPeakBytes is { } bytes ? ByteText.Of(bytes) : ""),
            new("fits", 3, trial => trial.Fits is { } fits ? fits ? "yes" : "no" : ""),
            new("time", 5, trial => trial.Left is { } left ? TimeLeft.Text(left) : ""),
        ],
        "--json has them");

    /// <summary>What takes long before there is anything to show: models' files are read whole, as trials are named by them. Null where
    /// no model has files.</summary>
    public static string? Reading(SweepConfig config)
    {
        string[] models = [.. config.Models.Where(model => Path.Exists(model.Model)).Select(model => model.Name).Distinct()];
        return models.Length == 0 ? null : TerminalText.OneLine($"reading the files of {string.Join(", ", models)}");
    }

    /// <summary>A table for each model, then the sums.</summary>
    public static void Show(CommandContext context, SweepPreview preview)
    {
        var plain = context.PlainOutput();
        foreach (var model in preview.Trials.GroupBy(trial => trial.Model))
        {
            context.Output.WriteLine(TerminalText.OneLine(model.Key));
            Table.Write(plain, context.OutputWidth(), [.. model]);
            context.Output.WriteLine();
        }
        foreach (var line in Sums(preview)) WrappedText.Write(context, line);
    }

    /// <summary>One JSON object with a row for each trial.</summary>
    public static void WriteJson(CommandContext context, SweepPreview preview) => context.Output.WriteLine(JsonText.Of(new
    {
        name = preview.Name,
        device = preview.Device,
        memoryBytes = preview.RoomBytes,
        limit = preview.Limit,
        search = preview.Search,
        samples = preview.Trials.Sum(trial => (long)trial.Samples),
        samplesDone = preview.Trials.Sum(trial => (long)trial.SamplesDone),
        secondsLeft = Seconds(preview.Left),
        trials = preview.Trials.Select(trial => new
        {
            trial = trial.Id,
            model = trial.Model,
            setting = trial.Setting,
            context = trial.Context,
            repeat = trial.Repeat,
            isProbe = trial.IsProbe,
            samples = trial.Samples,
            samplesDone = trial.SamplesDone,
            status = trial.Status,
            predictedPeakBytes = trial.PredictedPeakBytes,
            fits = trial.Fits,
            secondsLeft = Seconds(trial.Left),
        }),
    }));

    private static IEnumerable<string> Sums(SweepPreview preview)
    {
        var (samples, done) = (preview.Trials.Sum(trial => (long)trial.Samples), preview.Trials.Sum(trial => (long)trial.SamplesDone));
        yield return $"{preview.Name}: {CountText.Of(preview.Trials.Count, "trial")}, {CountText.Of(samples, "sample")}"
            + (preview.Limit is { } limit ? $" ({RunHistory.LimitWords(limit)})" : "")
            + (done > 0 ? $", of them {Whole(done)} measured" : "");
        yield return $"memory: {(preview.RoomBytes is { } room ? ByteText.Of(room) : "not known")} on {preview.Device}"
            + Unfitting(preview.Trials.Count(trial => trial.Fits == false));
        yield return preview.Left is { } left ? $"time: about {TimeLeft.Text(left)} at the speed of what was measured on this device"
            : "time: not known before samples are measured on this device";
        if (preview.Search is { } search) yield return $"search: {search} will leave trials out; these are the most that it may ask for";
        yield return "nothing was measured and nothing written";
    }

    private static string Unfitting(int trials) => trials == 0 ? ""
        : $"; {CountText.Of(trials, "trial")} would not fit and be listed as failed";

    private static string Name(PreviewedTrial trial) => ContextText.Of(trial.Setting, trial.Context)
        + (trial.Repeat is { } repeat ? $", repeat {Whole(repeat)}" : "") + (trial.IsProbe ? ", probe" : "");

    private static double? Seconds(TimeSpan? time) => time is { } span ? Math.Round(span.TotalSeconds, 3) : null;

    private static string Whole(long number) => number.ToString("N0", CultureInfo.InvariantCulture);
}
