using System.Runtime.InteropServices;
using KvPareto.Text.Input;

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
    /// <param name="budget">Steps of work; one of its own where null.</param>
    /// <exception cref="ScoreBudgetException">They take too many steps.</exception>
    public static double Score(string prediction, string answer, int maxWalk = MaxWalk, ScoreBudget? budget = null)
    {
        budget ??= new();
        var ids = new Dictionary<string, int>(StringComparer.Ordinal);
        var (predicted, right) = (Sentences(prediction, ids), Sentences(answer, ids));
        if (predicted.Count == 0 || right.Count == 0) return 0;

        var union = new CommonWords(predicted, ids.Count, maxWalk, budget);
        foreach (var reference in right)
            if (!union.Add(reference)) return 0;

        var precision = (double)union.Count / Distinct(predicted);
        var recall = (double)union.Count / Distinct(right);
        return 2.0 * (precision * recall / (precision + recall + 1e-8));
    }

    /// <summary>
    /// Sentences of word ids; of those spelled alike one, since all that counts is their words. One of white space alone has one word, the
    /// empty one, as <c>"".split(" ")</c> has.
    /// </summary>
    private static List<int[]> Sentences(string text, Dictionary<string, int> ids)
    {
        var sentences = new List<int[]>();
        foreach (var part in text.Split('.').Distinct(StringComparer.Ordinal))
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
            if (!known) id = ids.Count - 1;
            return id;
        }
    }

    private static int Distinct(List<int[]> sentences) => sentences.SelectMany(words => words).Distinct().Count();
}
