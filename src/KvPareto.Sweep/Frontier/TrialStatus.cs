namespace KvPareto.Sweep.Frontier;

/// <summary>Values of <see cref="TrialResult.Status"/>.</summary>
internal static class TrialStatus
{
    /// <summary>Every sample was scored.</summary>
    public const string Ok = "ok";
}
