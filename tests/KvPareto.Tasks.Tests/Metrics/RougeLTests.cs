using System.Globalization;
using FsCheck;
using FsCheck.Fluent;
using KvPareto.Tasks.Metrics;

namespace KvPareto.Tasks.Tests.Metrics;

public class RougeLTests
{
    [Theory]
    [InlineData(" .", "x", 0)]
    [InlineData(" . .", " .", 0.999999995)] // a sentence of blanks is one empty word
    [InlineData("a b. c", "a c. b", 0.999999995)]
    [InlineData("b a", "a b", 0.499999995)]
    [InlineData("a b c a", "c a b", 0.6666666616666668)]
    [InlineData("x x x", "x", 0.999999995)]
    [InlineData(".", ".", 0)]
    [InlineData("", "x", 0)]
    public void Score_IsThePackages(string prediction, string answer, double expected) =>
        Assert.Equal(expected, RougeL.Score(prediction, answer), 12);

    [Theory]
    [InlineData(RougeL.MaxWalk, 0.999999995)]
    [InlineData(RougeL.MaxWalk + 1, 0)]
    public void LongSentence_ScoresZeroWhereTheRecursionOverflows(int words, double expected)
    {
        var sentence = Words(words);
        Assert.Equal(expected, RougeL.Score(sentence, sentence), 12);
    }

    [Fact]
    public void LongPrediction_KeepsOnlyTheWalkedCorner()
    {
        // The walk meets the three words at once and ends there; from the other end it would take 5,000 steps.
        const double precision = 3.0 / 5003;
        Assert.Equal(2 * precision / (precision + 1 + 1e-8), RougeL.Score(Words(5000) + " a b c", "a b c"), 15);
        Assert.Equal(0, RougeL.Score("a b c " + Words(5000), "a b c"));
    }

    [Fact]
    public void Score_IsThatOfEveryPairOfSentences()
    {
        var sentence = Gen.Choose('a', 'f').ArrayOf().Select(words => string.Join(' ', words.Select(word => (char)word)));
        var text = sentence.ArrayOf().Select(sentences => string.Join(". ", sentences)).ToArbitrary();
        Prop.ForAll(text, text, (prediction, answer) =>
            RougeL.Score(prediction, answer) == Reference(prediction, answer, RougeL.MaxWalk)
            && RougeL.Score(prediction, answer, maxWalk: 6) == Reference(prediction, answer, 6)).QuickCheckThrowOnFailure();
    }

    [Theory]
    [InlineData("w{0} ", "w{0} ", 0.999999995)] // each sentence has its like
    [InlineData("w{0} a ", "a w{0} ", 0.999999995)] // a is found at once
    public void TenThousandSentences_AreCompared(string prediction, string answer, double expected) =>
        Assert.Equal(expected, RougeL.Score(Sentences(prediction, 10_000), Sentences(answer, 10_000)), 9);

    [Fact]
    public void MorePairsThanTheBudgetAllows_AreRefused()
    {
        // Of a and b only the one that comes last in both is found, so that no pair can be passed over.
        var (prediction, answer) = (Sentences("b w{0} a ", 2000), Sentences("a v{0} b ", 2000));
        Assert.Throws<ScoreBudgetException>(() => RougeL.Score(prediction, answer, budget: new(1_000_000)));
    }

    private static string Sentences(string format, int count) =>
        string.Join('.', Enumerable.Range(0, count).Select(i => string.Format(CultureInfo.InvariantCulture, format, i)));

    /// <summary>The package's own way: all pairs, whole tables, the walk from their ends.</summary>
    private static double Reference(string prediction, string answer, int maxWalk)
    {
        var (predicted, right) = (Split(prediction), Split(answer));
        if (predicted.Count == 0 || right.Count == 0) return 0;
        var union = new HashSet<string>();
        foreach (var x in right)
        {
            foreach (var y in predicted)
            {
                var table = new int[x.Length + 1, y.Length + 1];
                for (var i = 1; i <= x.Length; i++)
                    for (var j = 1; j <= y.Length; j++)
                        table[i, j] = x[i - 1] == y[j - 1] ? table[i - 1, j - 1] + 1 : Math.Max(table[i - 1, j], table[i, j - 1]);
                var (r, c, steps) = (x.Length, y.Length, 0);
                while (r > 0 && c > 0)
                {
                    if (steps++ == maxWalk) return 0;
                    if (x[r - 1] == y[c - 1])
                    {
                        union.Add(x[r - 1]);
                        (r, c) = (r - 1, c - 1);
                    }
                    else if (table[r - 1, c] > table[r, c - 1]) r--;
                    else c--;
                }
            }
        }
        var precision = (double)union.Count / predicted.SelectMany(words => words).Distinct().Count();
        var recall = (double)union.Count / right.SelectMany(words => words).Distinct().Count();
        return 2.0 * (precision * recall / (precision + recall + 1e-8));

        static List<string[]> Split(string text) =>
            [.. text.Split('.').Where(part => part.Length > 0).Select(part => part.Split(' ', StringSplitOptions.RemoveEmptyEntries))
                .Select(words => words.Length > 0 ? words : [""])];
    }

    private static string Words(int count) => string.Join(' ', Enumerable.Range(0, count).Select(i => $"w{i}"));
}
