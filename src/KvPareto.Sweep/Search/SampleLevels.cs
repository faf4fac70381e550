namespace KvPareto.Sweep.Search;

/// <summary>Shares of the samples that are measured one after the other, each twice the one before, the last one all.</summary>
/// <param name="tasks">The tasks.</param>
/// <param name="doublings">How often samples are doubled.</param>
internal sealed class SampleLevels(IReadOnlyList<SeenTask> tasks, int doublings)
{
    private readonly int[] _samples = [.. tasks.Select(task => task.Samples)];

    /// <summary>The level that has all samples; level 0 has none.</summary>
    public int Whole => doublings + 1;

    /// <summary>[tasks]: first samples that a level has.</summary>
    /// <param name="level">1 to <see cref="Whole"/>.</param>
    public int[] Counts(int level) => [.. _samples.Select(samples => (int)Math.Ceiling(samples * Math.Pow(2, level - Whole)))];

    /// <summary>Whether these have been measured.</summary>
    public bool Has(SearchPoint point, int level)
    {
        if (level == Whole) return point.State != PointState.Open;
        return point.Tasks.Zip(Counts(level)).All(pair => pair.First.Scores.Count >= pair.Second);
    }
}
