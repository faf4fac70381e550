namespace KvPareto.Tasks.Metrics;

/// <summary>
/// The words that ROUGE-L's package counts as common: those of one longest common subsequence of every pair of sentences, the one that its
/// walk from the table's end finds. Only pairs that can bring a new word, or a walk that is too long, are looked at.
/// </summary>
internal sealed class CommonWords
{
    private const int StepsOfPair = 32;

    private readonly List<int[]> _predicted;
    private readonly List<int>?[] _holders; // [words]: sentences of the prediction that hold each, ascending
    private readonly List<int> _longestFirst; // indices into _predicted
    private readonly bool[] _isCommon; // [words]
    private readonly int[] _seenBy; // [predicted sentences]: the reference that has met each last
    private readonly int _maxWalk;
    private readonly ScoreBudget _budget;
    private ushort[] _kept = [];
    private ushort[] _row = [];
    private int _reference;

    /// <summary>Prepares a prediction.</summary>
    /// <param name="predicted">Its sentences as word ids.</param>
    /// <param name="words">Number of words.</param>
    /// <param name="maxWalk">Most steps of a walk.</param>
    /// <param name="budget">Cells of tables.</param>
    public CommonWords(List<int[]> predicted, int words, int maxWalk, ScoreBudget budget)
    {
        (_predicted, _maxWalk, _budget) = (predicted, maxWalk, budget);
        (_holders, _isCommon, _seenBy) = (new List<int>?[words], new bool[words], new int[predicted.Count]);
        for (var i = 0; i < predicted.Count; i++)
            foreach (var word in predicted[i].Distinct()) (_holders[word] ??= []).Add(i);
        _longestFirst = [.. Enumerable.Range(0, predicted.Count).OrderByDescending(i => predicted[i].Length)];
    }

    /// <summary>Words found so far.</summary>
    public int Count { get; private set; }

    /// <summary>Adds what a sentence of the answer has in common with the prediction; false where a walk is longer than allowed.</summary>
    public bool Add(int[] reference)
    {
        _reference++;
        // A walk takes fewer steps than both sentences have words.
        foreach (var i in _longestFirst)
        {
            if (reference.Length + _predicted[i].Length <= _maxWalk) break;
            _seenBy[i] = _reference;
            if (!Walk(reference, _predicted[i])) return false;
        }
        foreach (var word in reference)
        {
            if (_holders[word] is not { } holders) continue;
            _budget.Spend(1);
            foreach (var i in holders)
            {
                if (_isCommon[word]) break;
                _budget.Spend(1);
                if (_seenBy[i] == _reference) continue;
                _seenBy[i] = _reference;
                Walk(reference, _predicted[i]);
            }
        }
        return true;
    }

    /// <summary>
    /// Adds the words of one pair; false where the walk is too long. The walk sees only the last rows and columns, so only those are kept.
    /// </summary>
    private bool Walk(int[] x, int[] y)
    {
        if (Math.Min(x.Length, y.Length) > _maxWalk) return false;
        _budget.Spend(StepsOfPair + (long)x.Length * y.Length);
        var (firstRow, firstColumn) = (Math.Max(0, x.Length - _maxWalk - 1), Math.Max(0, y.Length - _maxWalk - 1));
        var width = y.Length - firstColumn + 1;
        var kept = Cleared(ref _kept, (x.Length - firstRow + 1) * width);
        var row = Cleared(ref _row, y.Length + 1);
        for (var i = 1; i <= x.Length; i++)
        {
            ushort diagonal = 0;
            for (var j = 1; j <= y.Length; j++)
            {
                var above = row[j];
                row[j] = x[i - 1] == y[j - 1] ? (ushort)(diagonal + 1) : Math.Max(above, row[j - 1]);
                diagonal = above;
            }
            if (i >= firstRow) row[firstColumn..].CopyTo(kept[((i - firstRow) * width)..]);
        }

        var (r, c) = (x.Length, y.Length);
        for (var steps = 0; r > 0 && c > 0; steps++)
        {
            if (steps == _maxWalk) return false;
            if (x[r - 1] == y[c - 1])
            {
                Found(x[r - 1]);
                (r, c) = (r - 1, c - 1);
            }
            else if (kept[(r - 1 - firstRow) * width + c - firstColumn] > kept[(r - firstRow) * width + c - 1 - firstColumn]) r--;
            else c--;
        }
        return true;
    }

    private void Found(int word)
    {
        if (_isCommon[word]) return;
        _isCommon[word] = true;
        Count++;
    }

    private static Span<ushort> Cleared(ref ushort[] buffer, int length)
    {
        if (buffer.Length < length) buffer = new ushort[Math.Max(length, 2 * buffer.Length)];
        var cleared = buffer.AsSpan(0, length);
        cleared.Clear();
        return cleared;
    }
}
