namespace KvPareto.Sweep.Trials;

/// <summary>A trial to run.</summary>
/// <param name="Index">Its place in the order of running, from 1.</param>
/// <param name="Spec">What its scores depend on.</param>
/// <param name="Model">Its model and prompts.</param>
internal sealed record PlannedTrial(int Index, TrialSpec Spec, PreparedModel Model)
{
    /// <summary>Whether others are compared with it.</summary>
    public bool IsBaseline { get; init; }
}
