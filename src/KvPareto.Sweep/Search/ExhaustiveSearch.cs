namespace KvPareto.Sweep.Search;

/// <summary>Asks for everything at once.</summary>
/// <param name="hasProbes">Whether settings are probed too.</param>
internal sealed class ExhaustiveSearch(bool hasProbes) : ISearch
{
    /// <inheritdoc/>
    public SearchStep Next(IReadOnlyList<SearchPoint> points)
    {
        var wishes = new List<SearchWish>();
        foreach (var (index, point) in points.Index())
        {
            if (hasProbes && point is { Divergence: null, ProbeFailure: null }) wishes.Add(new ProbeWish(index));
            if (point.State == PointState.Open) wishes.Add(new WholeWish(index));
        }
        return new(wishes, []);
    }
}
