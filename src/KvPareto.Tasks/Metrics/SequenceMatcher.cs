using System.Runtime.InteropServices;

namespace KvPareto.Tasks.Metrics;

/// <summary>
/// Python's <c>difflib.SequenceMatcher(None, a, b).ratio()</c> (Ratcliff and Obershelp's gestalt matching) with its <c>autojunk</c>
/// rule: where b has 200 elements or more, those that make up over 1 % of it start no match.
/// </summary>
internal sealed class SequenceMatcher
{
    private const int AutoJunkLength = 200;
    private const int StepsOfElement = 32; // two searches in its positions, twice
    private const int StepsOfPosition = 4; // read, written and cleared, wherever it lies

    private readonly int[] _a;
    private readonly int[] _b;
    private readonly Dictionary<int, List<int>> _positions; // of each element in b, ascending
    private readonly ScoreBudget _budget;
    private int[] _runs; // [b + 1] at j + 1: length of the match that ends at the last a and j
    private int[] _nextRuns; // [b + 1]

    private SequenceMatcher(int[] a, int[] b, ScoreBudget budget)
    {
        (_a, _b, _budget) = (a, b, budget);
        (_runs, _nextRuns) = (new int[b.Length + 1], new int[b.Length + 1]);
        _positions = [];
        for (var j = 0; j < b.Length; j++)
            (CollectionsMarshal.GetValueRefOrAddDefault(_positions, b[j], out _) ??= []).Add(j);
        if (b.Length < AutoJunkLength) return;
        foreach (var popular in _positions.Where(entry => entry.Value.Count > b.Length / 100 + 1).Select(entry => entry.Key).ToList())
            _positions.Remove(popular);
    }

    /// <summary>2 · (elements in matching blocks) / (elements in both), 0 to 1; 1 where both are empty.</summary>
    /// <param name="a">The first sequence.</param>
    /// <param name="b">The second.</param>
    /// <param name="budget">Steps of work, which can grow with the cube of the lengths; one of its own where null.</param>
    /// <exception cref="ScoreBudgetException">They take too many steps.</exception>
    public static double Ratio(int[] a, int[] b, ScoreBudget? budget = null) =>
        a.Length + b.Length == 0 ? 1 : 2.0 * new SequenceMatcher(a, b, budget ?? new()).MatchedElements() / (a.Length + b.Length);

    private int MatchedElements()
    {
        var matched = 0;
        var open = new Stack<(int AFrom, int ATo, int BFrom, int BTo)>();
        open.Push((0, _a.Length, 0, _b.Length));
        while (open.TryPop(out var part))
        {
            var (i, j, size) = LongestMatch(part.AFrom, part.ATo, part.BFrom, part.BTo);
            if (size == 0) continue;
            matched += size;
            if (part.AFrom < i && part.BFrom < j) open.Push((part.AFrom, i, part.BFrom, j));
            if (i + size < part.ATo && j + size < part.BTo) open.Push((i + size, part.ATo, j + size, part.BTo));
        }
        return matched;
    }

    /// <summary>Longest common run within the part, the earliest in a, then in b, lengthened by equal elements that start none.</summary>
    private (int I, int J, int Size) LongestMatch(int aFrom, int aTo, int bFrom, int bTo)
    {
        var (bestI, bestJ, best) = (aFrom, bFrom, 0);
        for (var i = aFrom; i < aTo; i++)
        {
            var positions = PositionsWithin(_a[i], bFrom, bTo);
            _budget.Spend(StepsOfElement + (long)StepsOfPosition * positions.Length);
            foreach (var j in positions)
            {
                var run = _nextRuns[j + 1] = _runs[j] + 1;
                if (run > best) (bestI, bestJ, best) = (i - run + 1, j - run + 1, run);
            }
            if (i > aFrom) ClearRuns(_a[i - 1], bFrom, bTo);
            (_runs, _nextRuns) = (_nextRuns, _runs);
        }
        if (aTo > aFrom) ClearRuns(_a[aTo - 1], bFrom, bTo);

        while (bestI > aFrom && bestJ > bFrom && _a[bestI - 1] == _b[bestJ - 1]) (bestI, bestJ, best) = (bestI - 1, bestJ - 1, best + 1);
        while (bestI + best < aTo && bestJ + best < bTo && _a[bestI + best] == _b[bestJ + best]) best++;
        return (bestI, bestJ, best);
    }

    private void ClearRuns(int element, int bFrom, int bTo)
    {
        foreach (var j in PositionsWithin(element, bFrom, bTo)) _runs[j + 1] = 0;
    }

    private ReadOnlySpan<int> PositionsWithin(int element, int bFrom, int bTo)
    {
        if (!_positions.TryGetValue(element, out var positions)) return [];
        var all = CollectionsMarshal.AsSpan(positions);
        return all[FirstAtLeast(all, bFrom)..FirstAtLeast(all, bTo)];
    }

    private static int FirstAtLeast(ReadOnlySpan<int> sorted, int value)
    {
        var at = sorted.BinarySearch(value);
        return at < 0 ? ~at : at;
    }
}
