using System.Globalization;

namespace KvPareto.Sweep.Search;

/// <summary>
/// Successive halving over samples (Jamieson and Talwalkar, "Non-stochastic Best Arm Identification", 2016), for two objectives: at each
/// level a setting is dropped where it is certain enough that it will not lead one that needs at most as much memory.
/// </summary>
/// <param name="options">Options.</param>
internal sealed class HalvingSearch(HalvingOptions options) : ISearch
{
    /// <inheritdoc/>
    public SearchStep Next(IReadOnlyList<SearchPoint> points)
    {
        var alive = Enumerable.Range(0, points.Count).Where(index => points[index].State != PointState.Failed).ToList();
        var dropped = new List<SearchVerdict>();
        var levels = new SampleLevels(points[0].Tasks, options.Levels);
        for (var level = 1; level < levels.Whole; level++)
        {
            var counts = levels.Counts(level);
            // A level at which no sample is added tells nothing new.
            if (level > 1 && counts.SequenceEqual(levels.Counts(level - 1))) continue;
            SearchWish[] missing =
                [.. alive.Where(index => !levels.Has(points[index], level)).Select(index => new PartWish(index, counts))];
            if (missing.Length > 0) return new(missing, dropped);
            alive = Survivors(points, alive, counts, dropped);
        }
        return new([.. alive.Where(index => points[index].State == PointState.Open).Select(index => new WholeWish(index))], dropped);
    }

    // From the lightest up: each is compared with those that stay and are at most as heavy, of equal ones with the better.
    private List<int> Survivors(IReadOnlyList<SearchPoint> points, List<int> alive, int[] counts, List<SearchVerdict> dropped)
    {
        var kept = new List<int>();
        foreach (var index in alive.OrderBy(index => points[index].PeakBytes).ThenByDescending(index => Mean(points[index], counts)))
        {
            var rival = points[index].IsBaseline ? null : kept
                .Select(other => (Point: other, Lead: ScoreLead.Of(points[index], points[other], counts)))
                .Select(pair => (pair.Point, pair.Lead, Confidence: pair.Lead.ChanceBelow(options.Margin)))
                .Where(pair => pair.Confidence >= options.Confidence).Cast<(int Point, ScoreLead Lead, double Confidence)?>()
                .MaxBy(pair => pair!.Value.Confidence);
            if (rival is not { } found) kept.Add(index);
            else
            {
                dropped.Add(new(index, string.Create(
                    CultureInfo.InvariantCulture,
                    $"after {counts.Sum()} of {points[index].Tasks.Sum(task => task.Samples)} samples it leads "
                    + $"{points[found.Point].Setting.Name}, which is at most as heavy, by {found.Lead.Points:F1} ± "
                    + $"{found.Lead.Deviation:F1} points: with confidence {found.Confidence:F3} below "
                    + $"the margin of {options.Margin}")));
            }
        }
        return [.. kept.Order()];
    }

    private static double Mean(SearchPoint point, int[] counts) =>
        point.Tasks.Zip(counts).Where(pair => pair.First.IsScored).Average(pair => pair.First.Scores.Take(pair.Second).Average());
}
