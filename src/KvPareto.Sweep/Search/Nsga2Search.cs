using KvPareto.Engine;
using KvPareto.Engine.Settings;

namespace KvPareto.Sweep.Search;

/// <summary>
/// NSGA-II (Deb, Pratap, Agarwal and Meyarivan, "A Fast and Elitist Multiobjective Genetic Algorithm", IEEE TEVC 2002) over settings, each
/// measured whole. A child takes each axis from either parent, or now and then from any setting; it is the nearest setting of the search
/// space that was not measured yet.
/// </summary>
/// <param name="options">Options.</param>
internal sealed class Nsga2Search(Nsga2Options options) : ISearch
{
    /// <inheritdoc/>
    public SearchStep Next(IReadOnlyList<SearchPoint> points)
    {
        var random = new SplitMix64(SplitMix64.Mix((ulong)options.Seed ^ SplitMix64.Hash(Nsga2Options.Word)));
        var genes = points.Select(GenesOf).ToList();
        List<int> born = [], population = [];
        for (var generation = 0; generation < options.Generations && born.Count < points.Count; generation++)
        {
            var children = generation == 0 ? First(points) : Children(genes, population, born, ref random);
            SearchWish[] wishes =
                [.. children.Where(index => points[index].State == PointState.Open).Select(index => new WholeWish(index))];
            if (wishes.Length > 0) return new(wishes, []);
            born.AddRange(children);
            population = Survivors(points, [.. population, .. children]);
        }
        var open = points.Index().Where(pair => pair.Item.State == PointState.Open);
        return new([], [.. open.Select(pair => new SearchVerdict(
            pair.Index, $"not chosen in {CountText.Of(options.Generations, "generation")} of "
                + CountText.Of(options.Population, "setting")))]);
    }

    private static string[] GenesOf(SearchPoint point) => [.. SettingAxes.All.Select(axis => axis.WordOf(point.Setting))];

    // The baseline, and settings spread evenly from the lightest to the heaviest: memory is known beforehand.
    private List<int> First(IReadOnlyList<SearchPoint> points)
    {
        var others = points.Index().Where(pair => !pair.Item.IsBaseline).OrderBy(pair => pair.Item.PeakBytes)
            .Select(pair => pair.Index).ToList();
        var count = Math.Min(others.Count, options.Population - 1);
        var spread = Enumerable.Range(0, count).Select(step => others[count == 1 ? 0 : step * (others.Count - 1) / (count - 1)]);
        return [.. points.Index().Where(pair => pair.Item.IsBaseline).Select(pair => pair.Index), .. spread];
    }

    private List<int> Children(List<string[]> genes, List<int> population, List<int> born, ref SplitMix64 random)
    {
        var left = Enumerable.Range(0, genes.Count).Except(born).ToList();
        var children = new List<int>();
        while (left.Count > 0 && children.Count < options.Population)
        {
            var (one, other) = (genes[Tournament(population, ref random)], genes[Tournament(population, ref random)]);
            var child = new string[one.Length];
            for (var axis = 0; axis < child.Length; axis++)
            {
                child[axis] = random.Below(2) == 0 ? one[axis] : other[axis];
                // One axis in all changes on average.
                if (random.Below(child.Length) == 0) child[axis] = genes[random.Below(genes.Count)][axis];
            }
            var nearest = left.MinBy(index => genes[index].Zip(child).Count(pair => pair.First != pair.Second));
            children.Add(nearest);
            left.Remove(nearest);
        }
        return children;
    }

    // The population is in the order of fitness.
    private static int Tournament(List<int> population, ref SplitMix64 random) =>
        population[Math.Min(random.Below(population.Count), random.Below(population.Count))];

    private List<int> Survivors(IReadOnlyList<SearchPoint> points, List<int> candidates)
    {
        var costs = candidates.Distinct().Where(index => points[index].State == PointState.Measured)
            .Select(index => (Index: index, Cost: new[] { points[index].PeakBytes, -points[index].Score })).ToList();
        var ordered = NonDominatedSort.Order([.. costs.Select(pair => pair.Cost)]).Take(options.Population)
            .Select(place => costs[place].Index).ToList();
        // Where nothing could be measured anything may have children.
        return ordered.Count > 0 ? ordered : [.. candidates.Take(options.Population)];
    }
}
