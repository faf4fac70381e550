using KvPareto.Sweep.Results;

namespace KvPareto.Sweep.Frontier;

/// <summary>A measured trial and where it stands among the trials that it can be compared with.</summary>
/// <param name="Trial">The trial, with a score and a measured peak.</param>
/// <param name="Interval">95 % interval of its score.</param>
internal sealed record FrontierPoint(TrialResult Trial, ScoreInterval Interval)
{
    /// <summary>Share of resamples from which on a point counts as dominated for certain.</summary>
    public const double Certain = 0.95;

    /// <summary>Total bytes at the inference peak.</summary>
    public long PeakBytes => Trial.Peaks.Inference.Total;

    /// <summary>Measured score, 0 to 100.</summary>
    public double Score => Trial.Score ?? double.NaN;

    /// <summary>Whether no point of the same model dominates it as measured.</summary>
    public required bool OnFrontier { get; init; }

    /// <summary>Share of resamples in which a point of the same model dominates it, 0 to 1.</summary>
    public required double DominatedShare { get; init; }

    /// <summary>Whether no point of any model scored on the same tasks dominates it as measured.</summary>
    public bool OnOverallFrontier { get; init; }

    /// <summary>Share of resamples in which a point of any model dominates it, 0 to 1.</summary>
    public double OverallDominatedShare { get; init; }

    /// <summary>Whether the setting is the baseline.</summary>
    public bool IsBaseline { get; init; }

    /// <summary>Percent of the baseline's peak that this point does without; null where the baseline has no result.</summary>
    public double? MemorySavedPercent { get; init; }

    /// <summary>The baseline's score less this one's; null where the baseline has no result.</summary>
    public double? ScoreLoss => Loss?.Points;

    /// <summary>95 % interval of <see cref="ScoreLoss"/>, from paired resamples.</summary>
    public ScoreInterval? ScoreLossInterval => Loss?.Interval;

    /// <summary>Standard error of the score in points; null where a task has one sample.</summary>
    public double? StandardError { get; init; }

    /// <summary>The loss with its standard error and p value; null where the baseline has no result.</summary>
    public LossEstimate? Loss { get; init; }

    /// <summary>The p value, made to hold for all settings of the model at once; null for the baseline and where it has no
    /// result.</summary>
    public double? HolmP { get; init; }

    /// <summary>The tasks and their parts.</summary>
    public IReadOnlyList<TaskEstimate> Tasks { get; init; } = [];

    /// <summary>Whether this point dominates another as measured.</summary>
    public bool Dominates(FrontierPoint other)
    {
        var (own, theirs) = (PairedBootstrap.Comparable(Score), PairedBootstrap.Comparable(other.Score));
        return PeakBytes <= other.PeakBytes && own >= theirs && (PeakBytes < other.PeakBytes || own > theirs);
    }
}
