using System.Runtime.InteropServices;

namespace KvPareto.Tasks.Metrics;

/// <summary>
/// LongBench's <c>rouge_score</c>: the summary-level ROUGE-L "f" (Lin, 2004) as the Python package rouge 1.0.1 computes it, which
/// differs from the paper: sentences end at every '.', words are counted as sets, and f = 2pr / (p + r + 1e-8).
/// </summary>
internal static class RougeL
{
    /// <summary>
    /// The package walks its table by recursion, and LongBench scores 0 where that overflows. Under <c>eval.py</c> (nine frames above
    /// the walk, Python's limit of 1,000) the walk may take 990 steps: the figure is that of CPython 3.11 and later, one more than before.
    /// </summary>
    internal const int MaxWalk = 990;

    /// <summary>Score of one prediction against one answer, 0 to 1; 0 where either has no sentence.</summary>
    /// <param name="prediction">The model's text.</param>
    /// <param name="answer">The right one.</param>
    /// <param name="maxWalk">Steps that the walk may take, up to <see cref="MaxWalk"/>.</param>
    public static double Score(string prediction, string answer, int maxWalk = MaxWalk)
    {
        var ids = new Dictionary<string, int>(StringComparer.Ordinal);
        var (predicted, right) = (Sentences(prediction, ids), Sentences(answer, ids));
        if (predicted.Count == 0 || right.Count == 0) return 0;

        var union = new HashSet<int>();
        foreach (var reference in right)
            foreach (var sentence in predicted)
                if (!AddCommonWords(reference, sentence, maxWalk, union)) return 0;

        var precision = (double)union.Count / Distinct(predicted);
        var recall = (double)union.Count / Distinct(right);
        return 2.0 * (precision * recall / (precision + recall + 1e-8));
    }

    /// <summary>Sentences of word ids. One of white space alone has one word, the empty one, as <c>"".split(" ")</c> has.</summary>
    private static List<int[]> Sentences(string text, Dictionary<string, int> ids)
    {
        var sentences = new List<int[]>();
        foreach (var part in text.Split('.'))
        {
            if (part.Length == 0) continue;
            var words = PythonText.Split(part);
            if (words.Count == 0) words.Add("");
            sentences.Add([.. words.Select(Id)]);
        }
        return sentences;

        int Id(string word)
        {
            ref var id = ref CollectionsMarshal.GetValueRefOrAddDefault(ids, word, out var known);
            if (!known) id = ids.Count;
            return id;
        }
    }

    private static int Distinct(List<int[]> sentences) => sentences.SelectMany(words => words).Distinct().Count();

    /// <summary>
    /// Adds the words of one longest common subsequence, the one that the package's walk from the end finds; false where that walk is
    /// longer than <paramref name="maxWalk"/>. The walk sees only the last rows and columns, so only those are kept.
    /// </summary>
    private static bool AddCommonWords(int[] x, int[] y, int maxWalk, HashSet<int> union)
    {
        if (Math.Min(x.Length, y.Length) > maxWalk) return false;
        var (firstRow, firstColumn) = (Math.Max(0, x.Length - maxWalk - 1), Math.Max(0, y.Length - maxWalk - 1));
        var width = y.Length - firstColumn + 1;
        var kept = new ushort[(x.Length - firstRow + 1) * width];
        var row = new ushort[y.Length + 1];
        for (var i = 1; i <= x.Length; i++)
        {
            ushort diagonal = 0;
            for (var j = 1; j <= y.Length; j++)
            {
                var above = row[j];
                row[j] = x[i - 1] == y[j - 1] ? (ushort)(diagonal + 1) : Math.Max(above, row[j - 1]);
                diagonal = above;
            }
            if (i >= firstRow) row.AsSpan(firstColumn).CopyTo(kept.AsSpan((i - firstRow) * width, width));
        }

        var (r, c) = (x.Length, y.Length);
        for (var steps = 0; r > 0 && c > 0; steps++)
        {
            if (steps == maxWalk) return false;
            if (x[r - 1] == y[c - 1])
            {
                union.Add(x[r - 1]);
                (r, c) = (r - 1, c - 1);
            }
            else if (Length(r - 1, c) > Length(r, c - 1)) r--;
            else c--;
        }
        return true;

        int Length(int i, int j) => kept[(i - firstRow) * width + j - firstColumn];
    }
}
