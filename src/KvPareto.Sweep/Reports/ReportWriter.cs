using KvPareto.Sweep.Frontier;
using KvPareto.Sweep.Reports.Html;
using KvPareto.Sweep.Reports.Pictures;
using KvPareto.Sweep.Results;
using KvPareto.Sweep.Storage;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Reports;

/// <summary>
/// Writes <c>results.csv</c>, <c>frontier.csv</c>, <c>report.html</c> and the figures with their tables from the trials of a journal: no
/// model and no backend is needed.
/// </summary>
public static class ReportWriter
{
    /// <summary>
    /// Writes the report; the same trials and options give the same bytes, whatever the trials' order. Each file is replaced whole.
    /// </summary>
    /// <param name="folder">The run's folder; made where it is not there.</param>
    /// <param name="results">The trials, finished and failed.</param>
    /// <param name="options">Heading, baseline, seed and kinds of pictures.</param>
    /// <exception cref="ConfigException">The folder cannot be written, the baseline is no setting, or the tables are written but what
    /// draws the pictures is not there.</exception>
    public static ReportSummary Write(string folder, IReadOnlyList<TrialResult> results, ReportOptions options)
    {
        ArgumentNullException.ThrowIfNull(results);
        ArgumentNullException.ThrowIfNull(options);
        var analysis = FrontierAnalysis.Of(results, options.Baseline, options.Seed, options.Resamples);
        var figures = FigureCatalog.Of(analysis, options, folder);
        var messages = analysis.Messages.ToList();
        foreach (var figure in figures)
        {
            if (figure.Missing is { } missing && (options.Figures is not null || figure is FrontierFigure))
                messages.Add($"{figure.Name} was not drawn: {missing}");
            if (figure is FrontierFigure { Omitted: > 0 and var omitted })
                messages.Add(
                    $"the picture {figure.Name} shows the first {FrontierFigure.MaxPanels} of {FrontierFigure.MaxPanels + omitted} models");
        }
        var files = new List<string>();
        try
        {
            Directory.CreateDirectory(folder);
            Save("results.csv", ResultsCsv.Write(analysis));
            Save("frontier.csv", FrontierCsv.Write(analysis));
            if (options.Html) Save(HtmlReport.FileName, HtmlReport.Write(folder, analysis, options));
            else File.Delete(Path.Combine(folder, HtmlReport.FileName));
            // The tables are there also where nothing can be drawn.
            foreach (var figure in figures)
                if (figure is not FrontierFigure) SaveTable(figure);
            foreach (var figure in figures) files.AddRange(FigureWriter.Write(folder, figure, options.Formats));
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

        void SaveTable(Figure figure)
        {
            var name = figure.Name + ".csv";
            if (figure.Missing is null) Save(name, figure.Csv());
            else File.Delete(Path.Combine(folder, name));
        }
    }

    /// <summary>Draws the figure of times from a table of <c>kvpareto bench</c>.</summary>
    /// <param name="file">The table.</param>
    /// <param name="formats">Kinds of pictures.</param>
    /// <param name="folder">Where to; null for beside it.</param>
    /// <returns>Full paths of the files written.</returns>
    /// <exception cref="ConfigException">The file is no such table, has one length only, or the figure cannot be written.</exception>
    public static IReadOnlyList<string> WriteLatency(string file, IReadOnlyList<PictureFormat> formats, string? folder = null)
    {
        var figure = new LatencyFigure(Path.GetFileNameWithoutExtension(file), LengthPoints.Of(BenchCsv.Read(file)));
        if (figure.Missing is { } missing) throw new ConfigException($"{file}: {missing}; allowed: rows of several lengths");
        folder = Path.GetFullPath(folder ?? Path.GetDirectoryName(Path.GetFullPath(file))!);
        try
        {
            Directory.CreateDirectory(folder);
            var table = Path.Combine(folder, figure.Name + ".csv");
            if (table == Path.GetFullPath(file))
                throw new ConfigException($"{file}: the figure's own table would take its place; allowed: another name");
            AtomicFile.Write(table, figure.Csv());
            return [table, .. FigureWriter.Write(folder, figure, formats)];
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ConfigException($"{folder}: the figure cannot be written: {error.Message}", error);
        }
    }

    private static ModelSummary Summary(ModelFrontier model) => new(
        model.Model, model.Points.Count, model.Frontier.Count(), model.Failed.Count, model.HypervolumePercent, (long)model.ReferenceBytes)
    { Unscored = model.Unscored.Count, Dropped = model.Dropped.Count };

    private static List<SummaryRow> Rows(FrontierAnalysis analysis) =>
    [
        .. analysis.Models.SelectMany(model => model.Points.Select(point => Row(model.Model, point))
            .Concat(model.Unscored.Select(cost => Row(model.Model, cost))).Concat(model.Unplaced.Select(failed => new SummaryRow
            {
                Model = model.Model,
                Setting = failed.Trial.Setting,
                Failure = failed.Reason,
                IsDropped = failed.IsDropped,
            }))),
    ];

    private static SummaryRow Row(string model, CostPoint cost) => new()
    {
        Model = model,
        Setting = cost.Trial.Setting,
        PeakBytes = cost.PeakBytes,
        MemorySavedPercent = cost.MemorySavedPercent,
        IsBaseline = cost.IsBaseline,
        TtftMs = cost.Trial.TtftMs,
        TpotMs = cost.Trial.TpotMs,
    };

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
