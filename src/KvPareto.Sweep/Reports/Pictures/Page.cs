using ScottPlot;
using SkiaSharp;

namespace KvPareto.Sweep.Reports.Pictures;

/// <summary>A figure on a page just large enough for it: heading, panels in rows, legend. Lengths are points.</summary>
internal sealed class Page
{
    private const double Margin = 8;
    private const double TitleHeight = 17;
    private const double FactHeight = 12.5;
    private const double PanelHeading = 24;
    private const double NoPanelHeading = 8;
    private const double BetweenPanels = 14;
    private const double BeforeLegend = 6;
    private const double BeforeNote = 10; // from the end of a panel's heading

    private readonly IReadOnlyList<Panel> _panels;
    private readonly Legend _legend;
    private readonly IReadOnlyList<string> _title;
    private readonly List<string> _facts;
    private readonly float _left;
    private readonly float _headingLeft; // of a panel's corner
    private readonly double _panelHeading;
    private readonly double _cellWidth;
    private readonly double _cellHeight;
    private readonly double _headingHeight;

    /// <summary>Lays a figure out.</summary>
    public Page(Figure figure)
    {
        _panels = figure.Panels();
        var columns = Math.Min(figure.PanelColumns, _panels.Count);
        _left = _panels.Max(panel => panel.LeftWidth);
        _panelHeading = _panels.Any(panel => panel.Title.Length + panel.Note.Length > 0) ? PanelHeading : NoPanelHeading;
        _cellWidth = _left + figure.PlotSize.Width;
        // Where one has no room above its plot, all begin above the names beside it.
        _headingLeft = _panels.All(panel => HeadingWidth(panel) <= figure.PlotSize.Width) ? _left : 0;
        _cellHeight = _panelHeading + figure.PlotSize.Height + Panel.BottomHeight;
        Width = 2 * Margin + columns * _cellWidth + (columns - 1) * BetweenPanels + 4;
        var inner = Width - 2 * Margin;
        (_title, _facts) = (TitleLines(figure.Title, inner), Wrapped(figure.Facts, inner));
        _headingHeight = Margin + TitleHeight * _title.Count + FactHeight * _facts.Count;
        _legend = new(figure.Legend, inner);
        var rows = (_panels.Count + columns - 1) / columns;
        Height = _headingHeight + rows * _cellHeight + BeforeLegend + _legend.Height + Margin;
        Columns = columns;
    }

    /// <summary>Width of the page.</summary>
    public double Width { get; }

    /// <summary>Height of the page.</summary>
    public double Height { get; }

    /// <summary>Room for the heading of a panel.</summary>
    public double HeadingRoom => _cellWidth - _headingLeft;

    private int Columns { get; }

    /// <summary>Draws the page.</summary>
    public void Draw(Sheet sheet)
    {
        using (var white = new SKPaint { Color = SKColors.White })
            sheet.Canvas.DrawRect(0, 0, (float)Math.Ceiling(Width), (float)Math.Ceiling(Height), white);
        for (var i = 0; i < _title.Count; i++)
            sheet.Text(Look.Title, _title[i], new(Margin, Margin + TitleHeight * i + Look.Title.CapHeight + 1));
        var facts = Margin + TitleHeight * _title.Count;
        for (var i = 0; i < _facts.Count; i++)
            sheet.Text(Look.Subtitle, _facts[i], new(Margin, facts + FactHeight * i + Look.Subtitle.CapHeight + 1));
        for (var i = 0; i < _panels.Count; i++)
        {
            var (row, column) = Math.DivRem(i, Columns);
            DrawPanel(sheet, _panels[i], new(Margin + column * (_cellWidth + BetweenPanels), _headingHeight + row * _cellHeight));
        }
        _legend.Draw(sheet, Margin, Height - Margin - _legend.Height);
    }

    private void DrawPanel(Sheet sheet, Panel panel, Position corner)
    {
        var (left, right) = (corner.X + _headingLeft, corner.X + _cellWidth);
        var baseline = corner.Y + _panelHeading - 7;
        var width = HeadingRoom - Gap(panel);
        var note = Look.Note.Fit(panel.Note, Math.Max(width / 2, width - Look.PanelTitle.Width(panel.Title)));
        sheet.Text(Look.PanelTitle, Look.PanelTitle.Fit(panel.Title, width - Look.Note.Width(note)), new(left, baseline));
        sheet.Text(Look.Note, note, new(right, baseline), SKTextAlign.Right);
        var (top, bottom) = (corner.Y + _panelHeading, corner.Y + _cellHeight);
        panel.Draw(sheet, _left, new PixelRect((float)corner.X, (float)right, (float)bottom, (float)top));
    }

    private static double HeadingWidth(Panel panel) => Look.PanelTitle.Width(panel.Title) + Gap(panel) + Look.Note.Width(panel.Note);

    private static double Gap(Panel panel) => panel.Note.Length > 0 ? BeforeNote : 0;

    /// <summary>A title in one line of a width, or in two with as many words as fit in the first; what does not fit is cut.</summary>
    internal static IReadOnlyList<string> TitleLines(string title, double width)
    {
        title = TextStyle.OneLine(title);
        var end = title.Length;
        while (end > 0 && Look.Title.Width(title[..end]) > width) end = title.LastIndexOf(' ', end - 1);
        if (end == title.Length) return [title];
        if (end <= 0) end = title.IndexOf(' ', 1);
        return end < 0 ? [Look.Title.Fit(title, width)] : [Look.Title.Fit(title[..end], width), Look.Title.Fit(title[(end + 1)..], width)];
    }

    /// <summary>The facts with bars between them, in lines of a width.</summary>
    private static List<string> Wrapped(IReadOnlyList<string> facts, double width)
    {
        var lines = new List<string>();
        foreach (var fact in facts)
        {
            var longer = lines.Count == 0 ? fact : $"{lines[^1]} | {fact}";
            if (lines.Count > 0 && Look.Subtitle.Width(longer) <= width) lines[^1] = longer;
            else lines.Add(Look.Subtitle.Fit(fact, width));
        }
        return lines;
    }
}
