namespace KvPareto.Sweep.Trials;

/// <summary>When a sweep begins nothing more.</summary>
/// <param name="budget">Time from now on; null for never.</param>
/// <param name="clock">What time is read from.</param>
internal sealed class Deadline(TimeSpan? budget, TimeProvider clock)
{
    private readonly long _begun = clock.GetTimestamp();

    /// <summary>The time is over.</summary>
    public bool IsOver => budget is { } time && clock.GetElapsedTime(_begun) >= time;
}
