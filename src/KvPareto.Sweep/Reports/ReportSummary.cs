using KvPareto.Sweep.Frontier;

namespace KvPareto.Sweep.Reports;

/// <summary>What a report has written and what the closing table on the terminal shows.</summary>
/// <param name="Files">Full paths of the files written.</param>
/// <param name="Messages">What the user should know, one line each; empty where all went well.</param>
/// <param name="Rows">All trials: by model and peak, those without a point last within their model.</param>
/// <param name="Models">One entry for each model, in the order of the rows.</param>
public sealed record ReportSummary(
    IReadOnlyList<string> Files,
    IReadOnlyList<string> Messages,
    IReadOnlyList<SummaryRow> Rows,
    IReadOnlyList<ModelSummary> Models);

/// <summary>The frontier of one model in figures.</summary>
/// <param name="Model">Name as in the rows.</param>
/// <param name="Points">Measured settings.</param>
/// <param name="FrontierPoints">Settings that no other dominates.</param>
/// <param name="FailedTrials">Trials that could not be measured.</param>
/// <param name="HypervolumePercent">Percent of the box from 0 bytes and score 100 to the reference point that is dominated.</param>
/// <param name="ReferenceBytes">Bytes at the reference point; its score is 0.</param>
public sealed record ModelSummary(
    string Model, int Points, int FrontierPoints, int FailedTrials, double HypervolumePercent, long ReferenceBytes)
{
    /// <summary>Measured settings of tasks that have no score.</summary>
    public int Unscored { get; init; }

    /// <summary>Settings that the search did without.</summary>
    public int Dropped { get; init; }
}

/// <summary>One line of the closing table.</summary>
public sealed record SummaryRow
{
    /// <summary>Name of the model, unique for its weights and tasks.</summary>
    public required string Model { get; init; }

    /// <summary>Short name of the setting.</summary>
    public required string Setting { get; init; }

    /// <summary>Why there is no point; null where there is one.</summary>
    public string? Failure { get; init; }

    /// <summary>Whether there is none because the search did without it.</summary>
    public bool IsDropped { get; init; }

    /// <summary>Total bytes at the inference peak; null where there is no point.</summary>
    public long? PeakBytes { get; init; }

    /// <summary>Score, 0 to 100.</summary>
    public double? Score { get; init; }

    /// <summary>95 % interval of the score.</summary>
    public ScoreInterval? Interval { get; init; }

    /// <summary>Percent of the baseline's peak that is saved.</summary>
    public double? MemorySavedPercent { get; init; }

    /// <summary>The baseline's score less this one's.</summary>
    public double? ScoreLoss { get; init; }

    /// <summary>95 % interval of the loss.</summary>
    public ScoreInterval? ScoreLossInterval { get; init; }

    /// <summary>Whether this is the baseline.</summary>
    public bool IsBaseline { get; init; }

    /// <summary>Whether no setting of the model dominates this one.</summary>
    public bool OnFrontier { get; init; }

    /// <summary>Whether no setting of any model dominates this one.</summary>
    public bool OnOverallFrontier { get; init; }

    /// <summary>Share of resamples in which a setting of the model dominates this one, 0 to 1.</summary>
    public double? DominatedConfidence { get; init; }

    /// <summary>Median milliseconds to the first token.</summary>
    public double? TtftMs { get; init; }

    /// <summary>Median milliseconds of each later token.</summary>
    public double? TpotMs { get; init; }
}
