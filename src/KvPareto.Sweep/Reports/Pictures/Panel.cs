using ScottPlot;
using SkiaSharp;

namespace KvPareto.Sweep.Reports.Pictures;

/// <summary>
/// A plot of a figure with its axes and its heading. Coordinates of the plot are shares of the two axes, so that broken and
/// logarithmic axes and names are drawn alike: <see cref="At"/> gives them.
/// </summary>
internal sealed class Panel
{
    /// <summary>Room for those of the level axis, in points.</summary>
    public const float BottomHeight = 38;

    private const double LineHeight = 11;
    private const int MostLines = 3;
    private const double LeastGap = 4;

    // How far a name may reach past the plot: less than the page's margin, and than the room between two panels.
    private const double MostOverhang = 5;

    private readonly Axis _x;
    private readonly Axis _y;

    /// <summary>An empty panel.</summary>
    public Panel(Axis x, Axis y, string title, string note = "")
    {
        (_x, _y, Title, Note) = (x, y, title, note);
        InterFont.Use();
        Plot = new();
        Plot.RenderManager.ClearCanvasBeforeEachRender = false;
        Plot.FigureBackground.Color = Colors.Transparent;
        Plot.DataBackground.Color = Colors.Transparent;
        Plot.Axes.SetLimits(0, 1, 0, 1);
        Plot.Axes.Top.FrameLineStyle.Width = 0;
        Plot.Axes.Right.FrameLineStyle.Width = 0;
        Plot.Grid.MajorLineColor = Look.Grid;
        Plot.Grid.MajorLineWidth = 0.7f;
        Dress(Plot.Axes.Bottom, x);
        Dress(Plot.Axes.Left, y);
        double[] breaks = [.. x.Breaks];
        if (breaks.Length > 0) Plot.Add.Plottable(new BreakLayer(breaks));
    }

    /// <summary>Heading, left.</summary>
    public string Title { get; }

    /// <summary>Heading, right.</summary>
    public string Note { get; }

    /// <summary>The plot.</summary>
    public Plot Plot { get; }

    /// <summary>Room for the ticks and the title of the upright axis, in points.</summary>
    public float LeftWidth => 26 + (float)_y.Ticks.Select(tick => Look.TickText.Width(tick.Label)).DefaultIfEmpty().Max();

    /// <summary>Draws the plot and its axes, with <paramref name="left"/> of a rectangle's width for the upright one.</summary>
    public void Draw(Sheet sheet, float left, PixelRect place)
    {
        Plot.Layout.Fixed(new PixelPadding(left, 0, BottomHeight, 0));
        foreach (var text in Plot.GetPlottables().OfType<IHasText>()) text.Outlines = sheet.Outlines;
        // ScottPlot draws twice at first, which would double all that is not opaque.
        using (var nothing = new SKNoDrawCanvas((int)place.Right, (int)place.Bottom)) Plot.Render(nothing, place);
        Plot.Render(sheet.Canvas, place);
        DrawAxes(sheet, new(place.Left + left, place.Top, place.Width - left, place.Height - BottomHeight), place.Left);
    }

    private void DrawAxes(Sheet sheet, Box plot, double left)
    {
        var (ticks, titles) = (Look.TickText, Look.AxisTitle);
        // Names take more lines, numbers with a title there leave out those that have no room.
        var lines = _x.Title.Length == 0 ? NameLines(plot.Width) : 1;
        var room = lines == MostLines ? MostLines * plot.Width / _x.Ticks.Count - LeastGap : double.PositiveInfinity;
        var end = double.NegativeInfinity;
        for (var i = 0; i < _x.Ticks.Count; i++)
        {
            if (_x.Title.Length > 0 && !HasRoom(_x.Ticks[i], plot.Width, ref end)) continue;
            var label = ticks.Fit(_x.Ticks[i].Label, room);
            var (across, down) = (Centre(_x.Ticks[i], label, plot.Width), 8 + i % lines * LineHeight + ticks.CapHeight);
            sheet.Text(ticks, label, new(plot.Left + across, plot.Bottom + down), SKTextAlign.Center);
        }
        foreach (var tick in _y.Ticks)
            sheet.Text(ticks, tick.Label, new(plot.Left - 7, plot.Bottom - _y.Share(tick.Value) * plot.Height + ticks.CapHeight / 2),
                SKTextAlign.Right);
        sheet.Text(titles, titles.Fit(_x.Title, plot.Width), new(plot.Centre.X, plot.Bottom + 24 + titles.CapHeight), SKTextAlign.Center);
        sheet.TextUpwards(titles, titles.Fit(_y.Title, plot.Height), new(left + 1 + titles.CapHeight, plot.Centre.Y));
    }

    /// <summary>Where a pair of values is in the plot.</summary>
    public Coordinates At(double x, double y) => new(_x.Share(x), _y.Share(y));

    /// <summary>A line through places of the plot.</summary>
    public void AddLine(IReadOnlyList<Coordinates> places, Color color, float width, LinePattern? pattern = null)
    {
        var line = Plot.Add.ScatterLine(places.ToArray(), color);
        (line.LineWidth, line.LinePattern) = (width, pattern ?? LinePattern.Solid);
    }

    /// <summary>A shaded area.</summary>
    public void AddArea(IReadOnlyList<Coordinates> rim, Color color)
    {
        var area = Plot.Add.Polygon([.. rim]);
        (area.FillColor, area.LineWidth, area.MarkerSize) = (color, 0, 0);
    }

    /// <summary>An upright interval from <paramref name="low"/> to <paramref name="high"/>.</summary>
    public void AddInterval(double x, double low, double high, Color color)
    {
        // Around its middle: ScottPlot draws unequal errors the wrong way up.
        var (at, down, up) = (At(x, low).X, At(x, low).Y, At(x, high).Y);
        var half = (up - down) / 2;
        Plot.Add.Plottable(new ScottPlot.Plottables.ErrorBar([at], [down + half], [0], [0], [half], [half])
        {
            Color = color,
            LineWidth = 0.9f,
            CapSize = 2.4f,
        });
    }

    /// <summary>In how few lines, one after the other, names do not touch.</summary>
    private int NameLines(double width)
    {
        var lines = 1;
        while (lines < MostLines && _x.Ticks.Zip(_x.Ticks.Skip(lines)).Any(pair => Touch(pair.First, pair.Second))) lines++;
        return lines;

        bool Touch(Tick left, Tick right) =>
            (Look.TickText.Width(left.Label) + Look.TickText.Width(right.Label)) / 2 + LeastGap
            > Centre(right, right.Label, width) - Centre(left, left.Label, width);
    }

    // From the plot's left; what would reach too far past its right is moved back.
    private double Centre(Tick tick, string label, double width) =>
        Math.Min(_x.Share(tick.Value) * width, width + MostOverhang - Look.TickText.Width(label) / 2);

    // What stands before it ends at the end; moved on where there is room.
    private bool HasRoom(Tick tick, double width, ref double end)
    {
        var (centre, half) = (_x.Share(tick.Value) * width, Look.TickText.Width(tick.Label) / 2);
        if (centre - half < end + LeastGap) return false;
        end = centre + half;
        return true;
    }

    private static void Dress(IAxis axis, Axis values)
    {
        // Only the marks: the page writes the numbers.
        axis.SetTicks([.. values.Ticks.Select(tick => values.Share(tick.Value))], [.. values.Ticks.Select(_ => "")]);
        axis.FrameLineStyle.Width = 0.9f;
        axis.FrameLineStyle.Color = Look.Frame;
        axis.MajorTickStyle.Length = 3.5f;
        axis.MajorTickStyle.Width = 0.9f;
        axis.MajorTickStyle.Color = Look.Frame;
        axis.MinorTickStyle.Length = 0;
    }
}
