namespace KvPareto.Sweep.Frontier;

/// <summary>A 95 % confidence interval in points of score.</summary>
/// <param name="Low">2.5 % quantile.</param>
/// <param name="High">97.5 % quantile.</param>
public readonly record struct ScoreInterval(double Low, double High);
