using System.Diagnostics;

namespace KvPareto.Sweep.Trials;

/// <summary>When a sweep begins nothing more.</summary>
/// <param name="budget">Time from now on; null for never.</param>
internal sealed class Deadline(TimeSpan? budget)
{
    private readonly long _begun = Stopwatch.GetTimestamp();

    /// <summary>The time is over.</summary>
    public bool IsOver => budget is { } time && Stopwatch.GetElapsedTime(_begun) >= time;
}
