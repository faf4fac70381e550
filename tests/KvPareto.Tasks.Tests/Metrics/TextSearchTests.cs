using System.Text;
using FsCheck;
using FsCheck.Fluent;
using KvPareto.Tasks.Metrics;

namespace KvPareto.Tasks.Tests.Metrics;

public class TextSearchTests
{
    [Fact]
    public void Contains_IsStringsOwn()
    {
        var text = Gen.Choose('a', 'c').ArrayOf().Select(letters => string.Concat(letters.Select(letter => (char)letter))).ToArbitrary();
        Prop.ForAll(text, text, (all, wanted) =>
        {
            var some = wanted[..(wanted.Length / 4)];
            return TextSearch.Contains(all, some, new()) == all.Contains(some, StringComparison.Ordinal)
                && TextSearch.Contains(all + some + all, some, new());
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
        Assert.False(TextSearch.Contains(text, new string('a', 100_000) + "b", new()));
        Assert.True(TextSearch.Contains(text + "b", new string('a', 100_000) + "b", new()));
    }

    [Fact]
    public void Budget_CountsBothTexts()
    {
        Assert.True(TextSearch.Contains("abc", "c", new(4)));
        Assert.Throws<ScoreBudgetException>(() => TextSearch.Contains("abc", "c", new(3)));
    }
}
