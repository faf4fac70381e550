using KvPareto.Sweep.Fidelity;
using KvPareto.Sweep.Frontier;
using KvPareto.Sweep.Journaling;
using KvPareto.Sweep.Results;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Reports.Pictures;

/// <summary>The figures of a run: the one place that lists them.</summary>
internal static class FigureCatalog
{
    /// <summary>The figures that a report was asked for; all that have something to show where it was not asked.</summary>
    /// <param name="analysis">The trials.</param>
    /// <param name="options">Names of the figures asked for, and headings.</param>
    /// <param name="folder">The run's folder.</param>
    /// <exception cref="ConfigException">A name is no figure's, or the run's samples are damaged.</exception>
    public static IReadOnlyList<Figure> Of(FrontierAnalysis analysis, ReportOptions options, string folder)
    {
        IEnumerable<SampleRecord> SamplesOf(TrialResult trial) => options.SamplesOf(folder, trial);
        var lengths = LengthPoints.Of(analysis, SamplesOf);
        Figure[] all =
        [
            new FrontierFigure(analysis, options), new MemoryFigure(analysis, options), new TasksFigure(analysis, options),
            new NiahFigure(analysis, options, folder), new AblationFigure(analysis, options),
            new FidelityFigure(FidelityPoint.Of([.. analysis.Models.SelectMany(model => model.Points)
                .SelectMany(point => FidelityRows.Of(point.Trial, SamplesOf(point.Trial)))]), options.Run),
            new LatencyFigure(options.Run, lengths), new ContextFigure(options.Run, lengths),
        ];
        if (options.Figures is not { } names) return all;
        foreach (var name in names)
        {
            if (!Array.Exists(all, figure => figure.Name == name))
                throw new ConfigException(
                    $"--figure '{name}'; allowed: {string.Join(", ", all.Select(figure => figure.Name))}, separated by commas");
        }
        return [.. all.Where(figure => names.Contains(figure.Name))];
    }
}
