using System.Text;
using FsCheck;
using FsCheck.Fluent;
using KvPareto.Tasks.Metrics;

namespace KvPareto.Tasks.Tests.Metrics;

public class ScoreBudgetTests
{
    [Fact]
    public void Holds_IsStringsContains()
    {
        var text = Gen.Choose('a', 'c').ArrayOf().Select(letters => string.Concat(letters.Select(letter => (char)letter))).ToArbitrary();
        Prop.ForAll(text, text, (all, wanted) =>
        {
            var some = wanted[..(wanted.Length / 4)];
            return new ScoreBudget().Holds(all, some) == all.Contains(some, StringComparison.Ordinal)
                && new ScoreBudget().Holds(all + some + all, some);
        }).QuickCheckThrowOnFailure();
    }

    /// <summary>Needles are compared by their capitals in place of <see cref="StringComparison.OrdinalIgnoreCase"/>.</summary>
    [Fact]
    public void Capitals_AreWhatIgnoringCaseCompares()
    {
        for (var point = 0; point <= 0x10FFFF; point++)
        {
            if (!Rune.IsValid(point)) continue;
            var text = new Rune(point).ToString();
            var (upper, lower) = (text.ToUpperInvariant(), text.ToLowerInvariant());
            var capitalOfLower = lower.ToUpperInvariant();
            Assert.True(text.Equals(upper, StringComparison.OrdinalIgnoreCase), $"U+{point:X}");
            Assert.Equal(
                text.Equals(lower, StringComparison.OrdinalIgnoreCase), string.Equals(upper, capitalOfLower, StringComparison.Ordinal));
        }
    }

    [Fact]
    public void PeriodicTexts_TakeLinearTime()
    {
        // The product of the lengths is 10¹¹: hours, not a second.
        var text = new string('a', 1_000_000);
        Assert.False(new ScoreBudget().Holds(text, new string('a', 100_000) + "b"));
        Assert.True(new ScoreBudget().Holds(text + "b", new string('a', 100_000) + "b"));
    }

    /// <summary>RULER's metric too: the product of the lengths would be 10¹².</summary>
    [Fact]
    public void PeriodicAnswers_TakeLinearTime()
    {
        var prediction = new string('a', 3_000_000);
        Assert.Equal(0.5, StringMatch.All(prediction, [new string('A', 1_000_000), new string('a', 1_000_000) + "b"]));
        Assert.Equal(0, StringMatch.Any(prediction, [new string('a', 1_000_000) + "b"]));
    }

    [Fact]
    public void Budget_CountsBothTexts()
    {
        Assert.True(new ScoreBudget(4).Holds("abc", "c"));
        Assert.Throws<ScoreBudgetException>(() => new ScoreBudget(3).Holds("abc", "c"));
    }
}
