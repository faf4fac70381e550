using KvPareto.Sweep.Frontier;

namespace KvPareto.Sweep.Search;

/// <summary>The order of fitness of NSGA-II: by rank of non-domination, then by how much room neighbours of the same rank leave.</summary>
internal static class NonDominatedSort
{
    /// <summary>Indexes of points from the fittest on.</summary>
    /// <param name="costs">[n][d]: less is better.</param>
    public static IReadOnlyList<int> Order(IReadOnlyList<double[]> costs)
    {
        var (left, order) = (Enumerable.Range(0, costs.Count).ToList(), new List<int>());
        while (left.Count > 0)
        {
            var front = left.Where(one => !left.Exists(other => Costs.Dominates(costs[other], costs[one]))).ToList();
            var crowding = Crowding(costs, front);
            order.AddRange(front.Index().OrderByDescending(pair => crowding[pair.Index]).ThenBy(pair => pair.Item)
                .Select(pair => pair.Item));
            left.RemoveAll(front.Contains);
        }
        return order;
    }

    /// <summary>Distance between each point's neighbours, summed over objectives in units of the front's extent; infinite at its
    /// ends.</summary>
    internal static double[] Crowding(IReadOnlyList<double[]> costs, List<int> front)
    {
        var crowding = new double[front.Count];
        for (var objective = 0; objective < costs[front[0]].Length; objective++)
        {
            int[] order = [.. Enumerable.Range(0, front.Count).OrderBy(place => costs[front[place]][objective])];
            double Cost(int place) => costs[front[order[place]]][objective];
            var extent = Cost(order.Length - 1) - Cost(0);
            crowding[order[0]] = crowding[order[^1]] = double.PositiveInfinity;
            for (var place = 1; place < order.Length - 1 && extent > 0; place++)
                crowding[order[place]] += (Cost(place + 1) - Cost(place - 1)) / extent;
        }
        return crowding;
    }
}
