using System.Globalization;
using KvPareto.Sweep.Frontier;
using KvPareto.Sweep.Reports.Cairo;

namespace KvPareto.Sweep.Reports.Chart;

/// <summary>The figure of a run: a panel for each model, as figure 2 of KV Pareto (arXiv 2512.01953) has them.</summary>
internal static class FrontierChart
{
    /// <summary>Models that a figure shows; more would be too small to read.</summary>
    public const int MaxPanels = 12;

    private const double PixelsPerPoint = 2;
    private const double Margin = 18;
    private const double AxisWidth = 48;
    private const double AxisHeight = 42;
    private const double HeadingHeight = 26;
    private const double SharedScoreFactor = 2;

    /// <summary>The figure as PNG, at two pixels a point.</summary>
    /// <exception cref="CairoException">cairo cannot draw it.</exception>
    /// <exception cref="DllNotFoundException">libcairo.so.2 is not there.</exception>
    public static byte[] ToPng(FrontierAnalysis analysis, ReportOptions options)
    {
        var models = analysis.Models.Where(model => model.Points.Count > 0).Take(MaxPanels).ToList();
        var (columns, plot) = Grid(models.Count);
        var rows = (models.Count + columns - 1) / columns;
        var width = Margin + columns * (AxisWidth + plot.Width + Margin);
        const double Top = 56;
        var cellHeight = HeadingHeight + plot.Height + AxisHeight;
        double legendHeight;
        using (var measuring = CairoSurface.Image(1, 1))
        using (var canvas = new Canvas(measuring, PixelsPerPoint))
            legendHeight = new ChartLegend(canvas, models, options.Baseline, width - AxisWidth - 2 * Margin).Height;
        var height = Top + rows * cellHeight + legendHeight + Margin + 4;

        using var surface = CairoSurface.Image((int)Math.Ceiling(width * PixelsPerPoint), (int)Math.Ceiling(height * PixelsPerPoint));
        using (var canvas = new Canvas(surface, PixelsPerPoint))
        {
            canvas.Rectangle(new(0, 0, width + 1, height + 1), Color.White);
            var left = Margin + AxisWidth;
            canvas.Text(canvas.Fit(options.Title, Look.Title, width - left - Margin), new(left, 27), Look.Title);
            canvas.Text(canvas.Fit(Subtitle(models), Look.Subtitle, width - left - Margin), new(left, 44), Look.Subtitle);
            var scores = ScoreAxes(models);
            for (var i = 0; i < models.Count; i++)
            {
                var corner = new Position(
                    left + i % columns * (AxisWidth + plot.Width + Margin),
                    Top + i / columns * cellHeight + HeadingHeight);
                var peaks = models[i].Points.Select(point => point.PeakBytes).ToList();
                var memory = Axis.Memory(peaks.Min(), peaks.Max());
                new ChartPanel(canvas, models[i], memory, scores[i], plot with { Left = corner.X, Top = corner.Y }).Draw();
            }
            new ChartLegend(canvas, models, options.Baseline, width - left - Margin).Draw(left, Top + rows * cellHeight + 4);
            canvas.Finish("the frontier");
        }
        return surface.ToPng();
    }

    private static (int Columns, Box Plot) Grid(int panels) => panels switch
    {
        1 => (1, new(0, 0, 760, 420)),
        2 or 4 => (2, new(0, 0, 480, 360)),
        _ => (3, new(0, 0, 390, 350)),
    };

    /// <summary>One axis for all where that costs no model much of its height, else one each.</summary>
    private static List<Axis> ScoreAxes(List<ModelFrontier> models)
    {
        var ranges = models.ConvertAll(model => (
            Low: model.Points.Min(point => Math.Min(point.Score, point.Interval.Low)),
            High: model.Points.Max(point => Math.Max(point.Score, point.Interval.High))));
        var all = (Low: ranges.Min(range => range.Low), High: ranges.Max(range => range.High));
        var narrowest = ranges.Min(range => range.High - range.Low);
        return all.High - all.Low <= SharedScoreFactor * narrowest
            ? [.. Enumerable.Repeat(Axis.Score(all.Low, all.High), models.Count)]
            : ranges.ConvertAll(range => Axis.Score(range.Low, range.High));
    }

    private static string Subtitle(List<ModelFrontier> models)
    {
        const int NamedTasks = 8;
        var points = models.SelectMany(model => model.Points).ToList();
        var tasks = points.SelectMany(point => point.Trial.Scores).Select(score => score.Task).Distinct().ToList();
        var samples = points.Select(point => point.Trial.Samples).Distinct().Order().ToList();
        string[] parts =
        [
            tasks.Count <= NamedTasks ? (tasks.Count == 1 ? "task " : "tasks ") + string.Join(", ", tasks) : $"{tasks.Count} tasks",
            samples.Count == 1
                ? $"{Whole(samples[0])} samples a setting"
                : $"{Whole(samples[0])} to {Whole(samples[^1])} samples a setting",
            "intervals: paired bootstrap over the samples",
        ];
        return string.Join(" | ", parts);
    }

    private static string Whole(int value) => value.ToString(CultureInfo.InvariantCulture);
}
