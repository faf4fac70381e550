using KvPareto.Sweep.Frontier;
using KvPareto.Sweep.Reports.Pictures;

namespace KvPareto.Sweep.Reports;

/// <summary>What a report needs besides the trials.</summary>
public sealed record ReportOptions
{
    /// <summary>Heading of the picture.</summary>
    public string Title { get; init; } = "Accuracy against total peak memory";

    /// <summary>Short name of the setting that losses and savings refer to.</summary>
    public string Baseline { get; init; } = "w16a16-k16v16";

    /// <summary>Seed of the bootstrap.</summary>
    public long Seed { get; init; }

    /// <summary>Resamples of the bootstrap, at least 1.</summary>
    public int Resamples { get; init; } = PairedBootstrap.DefaultResamples;

    /// <summary>Kinds of pictures to write.</summary>
    public IReadOnlyList<PictureFormat> Formats { get; init; } = [PictureFormat.Png];
}
