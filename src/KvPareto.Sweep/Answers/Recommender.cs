using KvPareto.Engine;
using KvPareto.Engine.Checkpoints.Sources;
using KvPareto.Engine.Memory;
using KvPareto.Engine.Model;
using KvPareto.Engine.Seam;
using KvPareto.Sweep.Frontier;
using KvPareto.Sweep.Journaling;
using KvPareto.Sweep.Results;
using KvPareto.Sweep.Runs;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Answers;

/// <summary>Which of the measured settings is within a memory budget and a loss, and how much it takes at a context.</summary>
public static class Recommender
{
    /// <summary>One answer for each model and set of tasks that was measured, in the order of reports.</summary>
    /// <param name="runs">The runs, read as one.</param>
    /// <param name="request">What is asked.</param>
    /// <param name="layoutOf">The sizes of the allocations of the device that a run was on.</param>
    /// <exception cref="ConfigException">A model or baseline that is asked about has no result, or its shapes are not known.</exception>
    public static IReadOnlyList<ModelAnswer> Answer(
        RunHistory runs, RecommendRequest request, Func<TrialSource, MemoryLayout> layoutOf)
    {
        ArgumentNullException.ThrowIfNull(runs);
        ArgumentNullException.ThrowIfNull(request);
        var analysis = FrontierAnalysis.Of(runs.Results, runs.Baseline, runs.Seed);
        ModelFrontier[] models = [.. analysis.Models.Where(model => model.Points.Count > 0)];
        if (request.Model is { } wanted)
        {
            models = [.. models.Where(model => model.Model == wanted || model.Points[0].Trial.Model == wanted)];
            if (models.Length == 0)
                throw new ConfigException($"--model '{wanted}'; allowed: {Names(analysis.Models.Select(model => model.Model))}");
        }
        if (models.Length == 0) throw runs.WithoutScores();
        return [.. models.Select(model => Answer(model, runs, request, layoutOf))];
    }

    private static ModelAnswer Answer(
        ModelFrontier model, RunHistory runs, RecommendRequest request, Func<TrialSource, MemoryLayout> layoutOf)
    {
        if (request.MaxLoss is not null && model.Baseline is null)
            throw new ConfigException($"--max-loss: {model.Model}: the baseline has no result, so no loss is known"
                + "; allowed: runs in which it has, or no --max-loss");
        using var shapes = ShapesOf(model, runs, request);
        Candidate[] candidates =
        [
            .. model.Points.Select(point => Candidate(model, point, runs.SamplesOf(point.Trial), ForecastOf(point.Trial), request))
                .OrderBy(candidate => candidate.Peak.NeededBytes).ThenByDescending(candidate => candidate.Score),
        ];
        return new(model.Model, Best(candidates, request.Prefer), candidates) { Layers = shapes?.Config.LayerCount };

        PeakForecast? ForecastOf(TrialResult trial) => shapes is null ? null : new(layoutOf(runs.SourceOf(trial)), shapes);
    }

    private static Candidate Candidate(
        ModelFrontier model, FrontierPoint point, IReadOnlyCollection<SampleRecord> samples, PeakForecast? forecast,
        RecommendRequest request)
    {
        var longest = PeakForecast.Longest(samples);
        var peak = Peak(point, longest, forecast, request);
        var unit = request.MaxLoss ?? new(100, IsPercent: true);
        var baseline = model.Baseline?.Score;
        double? Loss(double? points) => baseline is { } score && points is { } lost ? unit.Of(lost, score) : null;
        ScoreInterval? interval = point.ScoreLossInterval is { } lost ? new(Loss(lost.Low)!.Value, Loss(lost.High)!.Value) : null;
        var loss = Loss(point.ScoreLoss);
        var worst = request.Certain ? interval?.High : loss;
        return new(point.Trial.Setting, peak, point.Score, point.Interval)
        {
            IsBaseline = point.IsBaseline,
            Loss = loss,
            LossInterval = interval,
            TpotMs = point.Trial.TpotMs,
            TtftMs = point.Trial.TtftMs,
            Fits = request.Budget is not { } budget || peak.NeededBytes <= budget,
            KeepsUp = request.MaxLoss is not { } limit || PairedBootstrap.Comparable(worst!.Value) <= limit.Value,
            LongestContext = request.Budget is { } room && longest is { } prompt && forecast is not null
                ? forecast.LongestWithin(point.Trial, prompt, room, request.NewTokens) : null,
        };
    }

    private static ExpectedPeak Peak(FrontierPoint point, (int Prompt, int New)? longest, PeakForecast? forecast, RecommendRequest request)
    {
        var trial = point.Trial;
        if (request.Context is not { } context || (longest is { } measured && PeakForecast.IsMeasured(context, measured)))
            return new(point.PeakBytes, trial.Peaks.Load.Total, longest?.Prompt, false, longest?.Prompt, 0);
        if (longest is not { } prompt)
            throw new ConfigException(
                $"--context {context}: the samples of trial {trial.TrialId} are not in the run's folder, so the length "
                + "that it was measured at is not known; allowed: a whole run folder, or no --context");
        if (forecast is null)
            throw new ConfigException($"--context {context}: run.json does not say the shapes of {trial.Model}, and it is not to be found"
                + $"; allowed: --shapes MODEL, {Architectures.Words}");
        return forecast.At(trial, prompt, context, request.NewTokens);
    }

    private static Checkpoint? ShapesOf(ModelFrontier model, RunHistory runs, RecommendRequest request)
    {
        var shapes = request.Shapes is { } other
            ? ModelSource.Open(other).OpenShapes()
            : runs.SourceOf(model.Points[0].Trial).Shapes();
        if (shapes is not null && request.Context is { } context && context + (long)request.NewTokens > Math.Min(
            shapes.Config.MaxPositions, MemoryModel.MostTokens))
        {
            using (shapes)
                throw new ConfigException($"--context {context}: with {CountText.Of(request.NewTokens, "new token")} more than the "
                    + $"{shapes.Config.MaxPositions} positions of {model.Model} (max_position_embeddings); allowed: what they hold");
        }
        return shapes;
    }

    private static Candidate? Best(IEnumerable<Candidate> candidates, Preference preference)
    {
        var within = candidates.Where(candidate => candidate.Fits && candidate.KeepsUp);
        return (preference switch
        {
            Preference.Memory => within.OrderBy(candidate => candidate.Peak.NeededBytes).ThenByDescending(Score),
            Preference.Speed => within.OrderBy(candidate => candidate.TpotMs ?? double.PositiveInfinity).ThenByDescending(Score),
            _ => within.OrderByDescending(Score).ThenBy(candidate => candidate.Peak.NeededBytes),
        }).FirstOrDefault();

        static double Score(Candidate candidate) => PairedBootstrap.Comparable(candidate.Score);
    }

    private static string Names(IEnumerable<string> names) => string.Join(", ", names);
}
