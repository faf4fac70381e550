namespace KvPareto.Sweep.Leases;

/// <summary>The rhythm of leases.</summary>
/// <param name="Beat">How often a holder shows that it lives.</param>
/// <param name="Expiry">How long another must have watched it show nothing before it counts as dead.</param>
internal sealed record LeaseTimes(TimeSpan Beat, TimeSpan Expiry)
{
    /// <summary>A beat each two seconds; dead after 30 without one.</summary>
    public static LeaseTimes Default { get; } = new(TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(30));

    /// <summary>How often a holder is looked at that one waits for.</summary>
    public TimeSpan Look { get; init; } = Beat / 4;
}
