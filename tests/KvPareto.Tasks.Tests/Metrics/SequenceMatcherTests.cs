using FsCheck;
using FsCheck.Fluent;
using KvPareto.Tasks.Metrics;

namespace KvPareto.Tasks.Tests.Metrics;

public class SequenceMatcherTests
{
    [Fact]
    public void Ratio_MatchesScalarReference()
    {
        var text = Gen.Choose('a', 'd').ArrayOf().ToArbitrary();
        Prop.ForAll(text, text, (a, b) => SequenceMatcher.Ratio(a, b) == ReferenceRatio(a, b)).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Ratio_OfLongTextsLeavesPopularElementsOut()
    {
        var b = Enumerable.Repeat((int)'a', 249).Prepend('b').ToArray();
        Assert.Equal(0, SequenceMatcher.Ratio([.. Enumerable.Repeat((int)'a', 300)], b));
        Assert.Equal(198.0 / 249, SequenceMatcher.Ratio([.. Enumerable.Repeat((int)'a', 150)], b[^99..]), 12);
    }

    [Fact]
    public void Ratio_LengthensAMatchByPopularElements()
    {
        int[] b = [.. Enumerable.Repeat((int)'a', 120), 'x', .. Enumerable.Repeat((int)'a', 120)];
        int[] a = ['a', 'a', 'x', 'a', 'a', 'a'];
        Assert.Equal(12.0 / (a.Length + b.Length), SequenceMatcher.Ratio(a, b));
    }

    [Fact]
    public void Ratio_StopsAtItsBudget()
    {
        // No element makes up over 1 %, so that each starts matches: 10⁹ steps for the first block alone.
        int[] b = [.. Enumerable.Range(0, 200_000).Select(i => i % 150)];
        int[] a = [.. Enumerable.Range(0, 200_000).Select(i => 149 - i % 150)];
        Assert.Throws<ScoreBudgetException>(() => SequenceMatcher.Ratio(a, b, new(10_000_000)));
    }

    /// <summary>The definition, for texts too short for the autojunk rule.</summary>
    private static double ReferenceRatio(ReadOnlySpan<int> a, ReadOnlySpan<int> b) =>
        a.Length + b.Length == 0 ? 1 : 2.0 * Matched(a, b) / (a.Length + b.Length);

    private static int Matched(ReadOnlySpan<int> a, ReadOnlySpan<int> b)
    {
        var (bestI, bestJ, best) = (0, 0, 0);
        for (var i = 0; i < a.Length; i++)
        {
            for (var j = 0; j < b.Length; j++)
            {
                var size = a[i..].CommonPrefixLength(b[j..]);
                if (size > best) (bestI, bestJ, best) = (i, j, size);
            }
        }
        return best == 0 ? 0 : best + Matched(a[..bestI], b[..bestJ]) + Matched(a[(bestI + best)..], b[(bestJ + best)..]);
    }
}
