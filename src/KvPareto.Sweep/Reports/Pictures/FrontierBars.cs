using KvPareto.Sweep.Frontier;

namespace KvPareto.Sweep.Reports.Pictures;

/// <summary>The settings of a figure that has a row for each.</summary>
internal static class FrontierBars
{
    /// <summary>Settings besides the baseline, at most.</summary>
    public const int Most = 16;

    /// <summary>The baseline at the foot, the frontier above it by falling peak.</summary>
    public static List<FrontierPoint> Of(ModelFrontier model) =>
    [
        .. model.Points.Where(point => point.IsBaseline && !point.OnFrontier),
        .. model.Frontier.Reverse().TakeLast(Most),
    ];

    /// <summary>The setting, and whether it is the baseline.</summary>
    public static string Label(FrontierPoint point) => Label(point.Trial.Setting, point.IsBaseline);

    /// <summary>The same of its parts.</summary>
    public static string Label(string setting, bool isBaseline) => setting + (isBaseline ? " (baseline)" : "");
}
