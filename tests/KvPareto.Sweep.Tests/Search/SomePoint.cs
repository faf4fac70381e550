using KvPareto.Engine.Settings;
using KvPareto.Sweep.Search;

namespace KvPareto.Sweep.Tests.Search;

/// <summary>Settings as a search sees them.</summary>
internal static class SomePoint
{
    /// <summary>A setting with the scores of one task of so many samples, as many as are seen.</summary>
    public static SearchPoint Of(
        string setting, long peak, string seen, int samples = 16, PointState state = PointState.Open, bool isBaseline = false,
        double? divergence = null, string? probeFailure = null) =>
        new(InferenceSetting.Parse(setting), () => [new(samples, true, [.. seen.Select(letter => letter == '1' ? 1.0 : 0.0)])])
        { PeakBytes = peak, State = state, IsBaseline = isBaseline, Divergence = divergence, ProbeFailure = probeFailure };
}
