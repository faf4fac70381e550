namespace KvPareto.Sweep.Frontier;

/// <summary>A mean score with how well the samples fix it.</summary>
/// <param name="Mean">0 to 100.</param>
/// <param name="StandardError">In points; null of a single sample, or where the samples' own scores are not known.</param>
/// <param name="Interval">95 % interval by the bootstrap; null where the samples' own scores are not known.</param>
internal sealed record ScoreEstimate(double Mean, double? StandardError, ScoreInterval? Interval);

/// <summary>How far a mean lies below the baseline's on the same samples.</summary>
/// <param name="Points">In points; below 0 where it lies above.</param>
/// <param name="StandardError">Of the samples' differences, in points; null of a single sample.</param>
/// <param name="Interval">95 % interval by the paired bootstrap.</param>
/// <param name="P">Two-sided p value of <see cref="SignFlipTest"/>.</param>
internal sealed record LossEstimate(double Points, double? StandardError, ScoreInterval Interval, double P);

/// <summary>A task of a trial, or a part of one, in figures.</summary>
/// <param name="Name">The task's name, with <c>#2</c> for a second task of it and <c>/PART</c> for a part.</param>
/// <param name="Score">Its mean.</param>
/// <param name="Loss">Against the baseline; null where that has no result, or none sample by sample.</param>
internal sealed record TaskEstimate(string Name, ScoreEstimate Score, LossEstimate? Loss);
