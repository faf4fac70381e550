using KvPareto.Sweep.Frontier;
using KvPareto.Sweep.Reports.Pictures;
using KvPareto.Sweep.Results;
using KvPareto.Sweep.Runs;
using KvPareto.Sweep.Storage;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Answers.Objectives;

/// <summary>What a frontier is asked for after the runs.</summary>
public sealed record FrontierRequest
{
    /// <summary>Objectives joined by commas; the first two are the axes of the picture, the third its colour.</summary>
    public string Objectives { get; init; } = ObjectiveCatalog.Default;

    /// <summary>Tasks joined by commas; null for all.</summary>
    public string? Tasks { get; init; }

    /// <summary>Name of a further score that samples have; null for the tasks' own.</summary>
    public string? Metric { get; init; }

    /// <summary>What tasks count, as TASK=NUMBER joined by commas; null for all alike.</summary>
    public string? Weights { get; init; }

    /// <summary>File of the table; null for none.</summary>
    public string? Csv { get; init; }

    /// <summary>File of the picture, whose name ends with its kind; null for none.</summary>
    public string? Picture { get; init; }
}

/// <summary>The frontiers of runs under objectives, tasks and metric that are chosen after them.</summary>
public sealed class FrontierAnswer
{
    private const int MostDrawn = 3;

    private FrontierAnswer(IReadOnlyList<string> headings, IReadOnlyList<FrontierTable> models, IReadOnlyList<string> messages) =>
        (Headings, Models, Messages) = (headings, models, messages);

    /// <summary>Names of the objectives that there are.</summary>
    public static string Names => ObjectiveCatalog.Words;

    /// <summary>Headings of the objectives.</summary>
    public IReadOnlyList<string> Headings { get; }

    /// <summary>One table for each model and set of tasks.</summary>
    public IReadOnlyList<FrontierTable> Models { get; }

    /// <summary>What a user should know, one line each.</summary>
    public IReadOnlyList<string> Messages { get; }

    /// <summary>Computes the frontiers and writes the files that are asked for.</summary>
    /// <exception cref="ConfigException">An objective, task, metric or weight is none, or a file cannot be written.</exception>
    public static FrontierAnswer Of(RunHistory runs, FrontierRequest request)
    {
        var objectives = ObjectiveCatalog.Parse("--objectives", request.Objectives);
        PictureFormat? format = request.Picture is { } picture ? PictureFormats.OfFile("--picture", picture) : null;
        if (format is not null && objectives.Count > MostDrawn)
            throw new ConfigException($"--picture: {objectives.Count} objectives; allowed: two, or three with the third as colour");
        var analysis = ObjectiveAnalysis.Of(runs, objectives, TaskSelection.Parse(request.Tasks, request.Metric, request.Weights));
        var wantsScores = objectives.Any(objective => objective.Name == ObjectiveCatalog.Score);
        if (runs.Results.All(result => wantsScores ? result.Score is null : result.Status != TrialStatus.Ok)) throw runs.WithoutScores();
        if (analysis.Models.All(model => model.Points.Count == 0))
            throw new ConfigException($"{runs.Place}: no setting has a value for every one of {request.Objectives}"
                + "; allowed: objectives that the run has measured");
        try
        {
            if (request.Csv is { } csv) AtomicFile.Write(csv, ObjectiveCsv.Write(analysis.Models, objectives));
            if (format is { } kind)
                AtomicFile.Write(request.Picture!, FigureWriter.Draw(new ObjectiveFigure(runs.Heading, analysis, objectives), kind));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ConfigException($"the frontier cannot be written: {error.Message}", error);
        }
        return new(
            [.. objectives.Select(objective => objective.Heading)],
            [.. analysis.Models.Where(model => model.Points.Count > 0).Select(model => FrontierTable.Of(model, objectives))],
                analysis.Messages);
    }
}

/// <summary>One model's settings under the objectives.</summary>
/// <param name="Model">Its name.</param>
/// <param name="HypervolumePercent">Percent of the box up to <paramref name="Reference"/> that is dominated.</param>
/// <param name="Reference">The worst corner of the box, in words, by objective.</param>
/// <param name="Rows">The settings.</param>
public sealed record FrontierTable(
    string Model, double HypervolumePercent, IReadOnlyDictionary<string, double> Reference, IReadOnlyList<FrontierRow> Rows)
{
    internal static FrontierTable Of(ObjectiveFrontier model, IReadOnlyList<Objective> objectives) => new(
        model.Model, model.HypervolumePercent,
        objectives.Zip(model.Reference).ToDictionary(pair => pair.First.Column, pair => pair.Second),
        [
            .. model.Points.Select(point => new FrontierRow(
                point.Trial.Setting, point.OnFrontier,
                objectives.Zip(point.Values).ToDictionary(pair => pair.First.Column, pair => pair.Second),
                [.. objectives.Zip(point.Values, (objective, value) => objective.Text(value))])
            {
                IsBaseline = point.IsBaseline,
                Interval = point.Interval,
                ScoreLoss = point.Loss,
                ScoreLossInterval = point.LossInterval,
                DominatedConfidence = point.DominatedShare,
            }),
        ]);
}

/// <summary>One setting under the objectives.</summary>
/// <param name="Setting">Short name.</param>
/// <param name="OnFrontier">No other dominates it.</param>
/// <param name="Values">Values by column name.</param>
/// <param name="Texts">The same for people, in the objectives' order.</param>
public sealed record FrontierRow(string Setting, bool OnFrontier, IReadOnlyDictionary<string, double> Values, IReadOnlyList<string> Texts)
{
    /// <summary>The baseline.</summary>
    public bool IsBaseline { get; init; }

    /// <summary>95 % interval of the score; null where the tasks have none.</summary>
    public ScoreInterval? Interval { get; init; }

    /// <summary>The baseline's score less this one's; null without a baseline.</summary>
    public double? ScoreLoss { get; init; }

    /// <summary>95 % interval of it, paired.</summary>
    public ScoreInterval? ScoreLossInterval { get; init; }

    /// <summary>Share of resamples in which another setting dominates it.</summary>
    public required double DominatedConfidence { get; init; }
}
