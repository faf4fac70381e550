using KvPareto.Sweep.Reports.Pictures;

namespace KvPareto.Sweep.Tests.Reports.Pictures;

public class TextStyleTests
{
    private const string Name = "a model whose name goes on and on and on and on";

    [Fact]
    public void Fit_TellsPanelsOfOneModelApart()
    {
        var (at10k, at32k) = (Look.PanelTitle.Fit(Name + " at 10k", 150), Look.PanelTitle.Fit(Name + " at 32k", 150));

        Assert.StartsWith("a model", at10k, StringComparison.Ordinal);
        Assert.EndsWith(" at 10k", at10k, StringComparison.Ordinal);
        Assert.EndsWith(" at 32k", at32k, StringComparison.Ordinal);
        Assert.True(Look.PanelTitle.Width(at10k) <= 150);
    }

    [Fact]
    public void Fit_SplitsNoCharacter()
    {
        var text = string.Concat(Enumerable.Repeat("\U0001D49C", 60));
        for (var width = 10; width < 200; width += 3)
            Assert.DoesNotContain('\uFFFD', new string([.. Look.Note.Fit(text, width).EnumerateRunes().SelectMany(static r => r.ToString())]));
    }

    [Fact]
    public void Fit_LeavesWhatIsNarrowEnough() => Assert.Equal("short", Look.Note.Fit("short", 100));

    [Fact]
    public void Legend_StaysWithinThePage()
    {
        var width = Look.Note.Width(Name);
        var legend = new Legend([[new LegendEntry(Name + " at 10k"), new LegendEntry(Name + " at 32k")]], width);

        Assert.All(legend.Rows.SelectMany(static row => row), entry => Assert.True(Look.Note.Width(entry.Text) <= width));
        Assert.Equal(2, legend.Rows.Count);
    }
}
