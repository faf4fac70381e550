namespace KvPareto.Sweep.Answers.Checks;

/// <summary>A setting of an earlier run beside the same one of the runs that are checked.</summary>
/// <param name="Model">Name of the model.</param>
/// <param name="Setting">Short name, with the context where settings are told apart by it.</param>
/// <param name="EarlierPeakBytes">Total peak then.</param>
/// <param name="EarlierScore">Score then, 0 to 100; null where its tasks had none.</param>
public sealed record CheckedPoint(string Model, string Setting, long EarlierPeakBytes, double? EarlierScore)
{
    /// <summary>Total peak now; null where the setting has no result.</summary>
    public long? PeakBytes { get; init; }

    /// <summary>Score now; null where the setting has no result, or its tasks no score.</summary>
    public double? Score { get; init; }

    /// <summary>In what it is worse, in words; empty where it is not.</summary>
    public required IReadOnlyList<string> Worse { get; init; }

    /// <summary>Smaller by more than the tolerance, or scored above what was measured then, and in nothing worse.</summary>
    public bool IsBetter { get; init; }
}
