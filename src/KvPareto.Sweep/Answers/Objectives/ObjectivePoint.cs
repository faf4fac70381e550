using KvPareto.Sweep.Frontier;
using KvPareto.Sweep.Results;

namespace KvPareto.Sweep.Answers.Objectives;

/// <summary>A measured setting under the objectives that were chosen.</summary>
/// <param name="Trial">The setting's trial.</param>
/// <param name="Values">[objectives]</param>
internal sealed record ObjectivePoint(TrialResult Trial, double[] Values)
{
    /// <summary>Whether the setting is the baseline.</summary>
    public required bool IsBaseline { get; init; }

    /// <summary>95 % interval of the score; null where its tasks have none.</summary>
    public ScoreInterval? Interval { get; init; }

    /// <summary>Points that it loses against the baseline, tasks counted as the score counts them; null without one.</summary>
    public double? Loss { get; init; }

    /// <summary>95 % interval of what it loses against the baseline, paired; null without one.</summary>
    public ScoreInterval? LossInterval { get; init; }

    /// <summary>No other point dominates it as measured.</summary>
    public required bool OnFrontier { get; init; }

    /// <summary>Share of resamples of the score in which another does; times and bytes stand as measured.</summary>
    public required double DominatedShare { get; init; }
}
