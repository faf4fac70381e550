namespace KvPareto.Sweep.Reports.Pictures;

/// <summary>A part of a plot that writes.</summary>
internal interface IHasText
{
    /// <summary>Whether text is drawn as outlines: <see cref="Sheet"/>.</summary>
    bool Outlines { get; set; }
}
