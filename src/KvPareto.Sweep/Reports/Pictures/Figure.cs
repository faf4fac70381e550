namespace KvPareto.Sweep.Reports.Pictures;

/// <summary>
/// A picture with the table that it is drawn from. <see cref="FigureWriter"/> draws every figure alike, in every format; a new one
/// says what its panels show and nothing of files, fonts and pages.
/// </summary>
internal abstract class Figure
{
    /// <summary>Name of its files without their ends: <c>frontier</c> gives frontier.png and frontier.csv.</summary>
    public abstract string Name { get; }

    /// <summary>Why there is nothing to draw; null where there is.</summary>
    public abstract string? Missing { get; }

    /// <summary>Heading.</summary>
    public abstract string Title { get; }

    /// <summary>Facts below the heading, one after the other.</summary>
    public virtual IReadOnlyList<string> Facts => [];

    /// <summary>Width and height of a panel's plot in points, without its axes.</summary>
    public virtual (float Width, float Height) PlotSize => (356, 250);

    /// <summary>Panels side by side.</summary>
    public virtual int PanelColumns => 1;

    /// <summary>What lines, colours and shapes mean.</summary>
    public virtual IEnumerable<IReadOnlyList<LegendEntry>> Legend => [];

    /// <summary>The table, as CSV.</summary>
    public abstract byte[] Csv();

    /// <summary>The panels, drawn anew for each format.</summary>
    public abstract IReadOnlyList<Panel> Panels();
}
