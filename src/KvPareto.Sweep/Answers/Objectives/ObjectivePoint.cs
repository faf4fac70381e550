using KvPareto.Sweep.Frontier;

namespace KvPareto.Sweep.Answers.Objectives;

/// <summary>A measured setting under the objectives that were chosen.</summary>
/// <param name="Point">The setting.</param>
/// <param name="Values">[objectives]</param>
internal sealed record ObjectivePoint(FrontierPoint Point, double[] Values)
{
    /// <summary>95 % interval of the score.</summary>
    public required ScoreInterval Interval { get; init; }

    /// <summary>Points that it loses against the baseline, tasks counted as the score counts them; null without one.</summary>
    public double? Loss { get; init; }

    /// <summary>95 % interval of what it loses against the baseline, paired; null without one.</summary>
    public ScoreInterval? LossInterval { get; init; }

    /// <summary>No other point dominates it as measured.</summary>
    public required bool OnFrontier { get; init; }

    /// <summary>Share of resamples of the score in which another does; times and bytes stand as measured.</summary>
    public required double DominatedShare { get; init; }
}
