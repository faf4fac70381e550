namespace KvPareto.Sweep.Results;

/// <summary>The values of <see cref="TrialResult.Status"/>.</summary>
public static class TrialStatus
{
    /// <summary>Every sample was measured.</summary>
    public const string Ok = "ok";

    /// <summary>The trial could not be done; <see cref="TrialResult.Failure"/> says why.</summary>
    public const string Failed = "failed";

    /// <summary>The search did without the trial, of which some samples may have been measured; <see cref="TrialResult.Failure"/> says
    /// why.</summary>
    public const string Dropped = "dropped";
}
