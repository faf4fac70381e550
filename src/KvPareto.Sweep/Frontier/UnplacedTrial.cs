using KvPareto.Sweep.Results;

namespace KvPareto.Sweep.Frontier;

/// <summary>A trial that is no point of a frontier.</summary>
/// <param name="Trial">The trial.</param>
/// <param name="Reason">Why, on one line or several.</param>
internal sealed record UnplacedTrial(TrialResult Trial, string Reason)
{
    /// <summary>The search did without it.</summary>
    public bool IsDropped => Trial.Status == TrialStatus.Dropped;
}
