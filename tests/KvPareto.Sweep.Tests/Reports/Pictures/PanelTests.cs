using KvPareto.Sweep.Reports.Pictures;
using ScottPlot;
using SkiaSharp;

namespace KvPareto.Sweep.Tests.Reports.Pictures;

public class PanelTests
{
    private const int Size = 400;

    /// <summary>An interval that is not even about its point ends where its values are, seen in the pixels.</summary>
    [Theory]
    [InlineData(25, 90)]
    [InlineData(75, 100)]
    [InlineData(10, 20)]
    public void Interval_EndsAtItsValues(double low, double high)
    {
        var panel = new Panel(Axis.Score(0, 100), Axis.Score(0, 100), "");
        panel.AddInterval(30, low, high, Colors.Red);
        panel.AddLine([panel.At(60, low), panel.At(60, high)], Colors.Blue, 1);
        var pixels = panel.Plot.GetImage(Size, Size).GetArrayRGB();
        var (interval, line) = (Rows(pixels, 0), Rows(pixels, 2));
        Assert.InRange(interval.Top - line.Top, -2, 2);
        Assert.InRange(interval.Bottom - line.Bottom, -2, 2);
    }

    /// <summary>A long name at the end of the level axis stays within the page's margin, and is all there.</summary>
    [Fact]
    public void LastName_EndsBesideThePlot()
    {
        const int left = 40;
        const int width = 190;
        var panel = new Panel(Axis.Categories(["64", "128", "256", "512", "1024", "whole prompt"], ""), Axis.Score(0, 100), "");
        using var bitmap = new SKBitmap(Size, Size);
        using (var canvas = new SKCanvas(bitmap))
        {
            canvas.Clear(SKColors.White);
            panel.Draw(new(canvas, Outlines: false), left, new(0, left + width, 160, 0));
        }
        var bottom = 160 - (int)Panel.BottomHeight + 6;
        bool Inked(int column) => Enumerable.Range(bottom, 160 - bottom).Any(row => bitmap.GetPixel(column, row).Red < 200);
        int[] inked = [.. Enumerable.Range(0, Size).Where(Inked)];
        Assert.InRange(inked[^1], left + width - 2, left + width + 5);
        var name = inked.Where(column => column > left + width - Look.TickText.Width("whole prompt")).ToList();
        Assert.InRange(name[^1] - name[0], Look.TickText.Width("whole prompt") - 8, Look.TickText.Width("whole prompt") + 2);
    }

    /// <summary>Names too long for two lines take a third: each line has room between its names.</summary>
    [Fact]
    public void LongNames_StandApart()
    {
        const int left = 40;
        const int width = 190;
        string[] names = ["plain", "rotk", "rotkv", "smooth", "smooth-rotk", "smooth-rotkv"];
        var panel = new Panel(Axis.Categories(names, ""), Axis.Score(0, 100), "");
        using var bitmap = new SKBitmap(Size, Size);
        using (var canvas = new SKCanvas(bitmap))
        {
            canvas.Clear(SKColors.White);
            panel.Draw(new(canvas, Outlines: false), left, new(0, left + width, 160, 0));
        }
        var bottom = 160 - (int)Panel.BottomHeight + 6;
        for (var line = 0; line < 3; line++)
        {
            bool Inked(int column) => Enumerable.Range(bottom + 11 * line, 10).Any(row => bitmap.GetPixel(column, row).Red < 200);
            int[] inked = [.. Enumerable.Range(0, Size).Where(Inked)];
            Assert.Single(inked.Zip(inked.Skip(1)), pair => pair.Second - pair.First > 8);
        }
    }

    /// <summary>Close ticks of a broken axis: those that find no room are left out, none stands in the title's line.</summary>
    [Fact]
    public void CloseTicks_StandInOneLine()
    {
        const int left = 30;
        const int bottom = 160 - (int)Panel.BottomHeight;
        long[] peaks = [281, 285, 290, 298, 306, 335, 484, 493, 538, 564];
        var panel = new Panel(Axis.Memory([.. peaks.Select(peak => (peak << 20) / 100)]), Axis.Score(0, 100), "");
        using var bitmap = new SKBitmap(Size, Size);
        using (var canvas = new SKCanvas(bitmap))
        {
            canvas.Clear(SKColors.White);
            panel.Draw(new(canvas, Outlines: false), left, new(0, left + 300, 160, 0));
        }
        bool Inked(int row) => Enumerable.Range(left, 300).Any(column => bitmap.GetPixel(column, row).Red < 200);
        Assert.Contains(Enumerable.Range(bottom + 8, 6), Inked);
        Assert.DoesNotContain(Enumerable.Range(bottom + 17, 4), Inked);
        Assert.Contains(Enumerable.Range(bottom + 24, 6), Inked);
    }

    // Rows in which some pixel has much of one colour and little of the others.
    private static (int Top, int Bottom) Rows(byte[,,] pixels, int colour)
    {
        int[] rows =
        [
            .. Enumerable.Range(0, Size).Where(row => Enumerable.Range(0, Size).Any(column =>
                pixels[row, column, colour] > 150 && pixels[row, column, 1] < 90 && pixels[row, column, 2 - colour] < 90)),
        ];
        Assert.NotEmpty(rows);
        return (rows[0], rows[^1]);
    }
}
