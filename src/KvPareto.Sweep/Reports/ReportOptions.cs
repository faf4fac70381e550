using KvPareto.Sweep.Frontier;
using KvPareto.Sweep.Journaling;
using KvPareto.Sweep.Reports.Pictures;
using KvPareto.Sweep.Results;
using KvPareto.Sweep.Runs;

namespace KvPareto.Sweep.Reports;

/// <summary>What a report needs besides the trials.</summary>
public sealed record ReportOptions
{
    /// <summary>Name of the run, for headings.</summary>
    public string Run { get; init; } = "sweep";

    /// <summary>Short name of the setting that losses and savings refer to.</summary>
    public string Baseline { get; init; } = "w16a16-k16v16";

    /// <summary>Seed of the bootstrap.</summary>
    public long Seed { get; init; }

    /// <summary>Resamples of the bootstrap, at least 1.</summary>
    public int Resamples { get; init; } = PairedBootstrap.DefaultResamples;

    /// <summary>Names of the figures to write; null for all that the run has data for.</summary>
    public IReadOnlyList<string>? Figures { get; init; }

    /// <summary>The run that the trials are of, or several read as one, which knows their samples; null where these are in the report's
    /// own folder.</summary>
    public RunHistory? History { get; init; }

    /// <summary>What a reader of the page should know of the run, one line each.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>Write <c>report.html</c> too.</summary>
    public bool Html { get; init; } = true;

    /// <summary>Kinds of pictures to write.</summary>
    public IReadOnlyList<PictureFormat> Formats { get; init; } = [PictureFormat.Png];

    /// <summary>The samples that a trial's figures are of; none where they are not there.</summary>
    /// <param name="folder">The report's folder.</param>
    /// <param name="trial">A trial with a result.</param>
    /// <exception cref="KvPareto.Text.Input.ConfigException">A log is damaged.</exception>
    internal IEnumerable<SampleRecord> SamplesOf(string folder, TrialResult trial) =>
        History?.SamplesOf(trial) ?? SampleLog.Read(RunPaths.Samples(folder, trial.TrialId)).Records;
}
