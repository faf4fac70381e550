using KvPareto.Sweep.Frontier;
using KvPareto.Sweep.Journaling;
using KvPareto.Sweep.Reports.Cairo;
using KvPareto.Sweep.Reports.Chart;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Reports;

/// <summary>
/// Writes <c>results.csv</c>, <c>frontier.csv</c> and <c>frontier.png</c> from the trials of a journal: no model and no backend is
/// needed.
/// </summary>
public static class ReportWriter
{
    private const string Picture = "frontier.png";

    /// <summary>
    /// Writes the report; the same trials and options give the same bytes, whatever the trials' order. Each file is replaced
    /// whole. Where the picture cannot be drawn, the tables are written all the same and a message says what is missing.
    /// </summary>
    /// <param name="folder">The run's folder; made where it is not there.</param>
    /// <param name="results">The trials, finished and failed.</param>
    /// <param name="options">Heading, baseline and seed.</param>
    /// <exception cref="ConfigException">The folder cannot be written, or the baseline is no setting.</exception>
    public static ReportSummary Write(string folder, IReadOnlyList<TrialResult> results, ReportOptions options) =>
        Write(folder, results, options, FrontierChart.ToPng);

    /// <summary>The same with another way to draw.</summary>
    internal static ReportSummary Write(
        string folder, IReadOnlyList<TrialResult> results, ReportOptions options, Func<FrontierAnalysis, ReportOptions, byte[]> draw)
    {
        ArgumentNullException.ThrowIfNull(results);
        ArgumentNullException.ThrowIfNull(options);
        var analysis = FrontierAnalysis.Of(results, options.Baseline, options.Seed, options.Resamples);
        var messages = analysis.Messages.ToList();
        var picture = Draw(analysis, options, draw, messages);
        var files = new List<string>();
        try
        {
            Directory.CreateDirectory(folder);
            Save("results.csv", ResultsCsv.Write(analysis));
            Save("frontier.csv", FrontierCsv.Write(analysis));
            // A picture of an earlier report would contradict the tables.
            if (picture is null) File.Delete(Path.Combine(folder, Picture));
            else Save(Picture, picture);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ConfigException($"{folder}: the report cannot be written: {error.Message}", error);
        }
        return new(files, messages, Rows(analysis), [.. analysis.Models.Select(Summary)]);

        void Save(string name, byte[] content)
        {
            var path = Path.GetFullPath(Path.Combine(folder, name));
            AtomicFile.Write(path, content);
            files.Add(path);
        }
    }

    private static byte[]? Draw(
        FrontierAnalysis analysis, ReportOptions options, Func<FrontierAnalysis, ReportOptions, byte[]> draw, List<string> messages)
    {
        var drawn = analysis.Models.Count(model => model.Points.Count > 0);
        if (drawn == 0)
        {
            messages.Add($"{Picture} was not drawn: no trial has a score");
            return null;
        }
        if (drawn > FrontierChart.MaxPanels) messages.Add($"{Picture} shows the first {FrontierChart.MaxPanels} of {drawn} models");
        try
        {
            return draw(analysis, options);
        }
        catch (Exception error) when (error is DllNotFoundException or EntryPointNotFoundException or BadImageFormatException)
        {
            messages.Add(
                $"{Picture} was not drawn: it needs {CairoNative.Library}; install the package {CairoNative.Package} "
                + "and run `kvpareto report` again");
        }
        catch (CairoException error)
        {
            messages.Add($"{Picture} was not drawn: {error.Message}");
        }
        return null;
    }

    private static ModelSummary Summary(ModelFrontier model) => new(
        model.Model, model.Points.Count, model.Frontier.Count(), model.Failed.Count, model.HypervolumePercent, (long)model.ReferenceBytes);

    private static List<SummaryRow> Rows(FrontierAnalysis analysis) =>
    [
        .. analysis.Models.SelectMany(model => model.Points.Select(point => Row(model.Model, point)).Concat(
            model.Failed.Select(failed => new SummaryRow
            {
                Model = model.Model,
                Setting = failed.Trial.Setting,
                Failure = failed.Reason,
            }))),
    ];

    private static SummaryRow Row(string model, FrontierPoint point) => new()
    {
        Model = model,
        Setting = point.Trial.Setting,
        PeakBytes = point.PeakBytes,
        Score = point.Score,
        Interval = point.Interval,
        MemorySavedPercent = point.MemorySavedPercent,
        ScoreLoss = point.ScoreLoss,
        ScoreLossInterval = point.ScoreLossInterval,
        IsBaseline = point.IsBaseline,
        OnFrontier = point.OnFrontier,
        OnOverallFrontier = point.OnOverallFrontier,
        DominatedConfidence = point.DominatedShare,
        TtftMs = point.Trial.TtftMs,
        TpotMs = point.Trial.TpotMs,
    };
}
