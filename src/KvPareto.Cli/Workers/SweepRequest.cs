using System.Globalization;
using KvPareto.Cli.Parsing;
using KvPareto.Engine.Seam;
using KvPareto.Sweep.Config;
using KvPareto.Sweep.Reports.Pictures;
using KvPareto.Sweep.Results;
using KvPareto.Sweep.Running;
using KvPareto.Sweep.Runs;
using KvPareto.Text.Input;

namespace KvPareto.Cli.Workers;

/// <summary>A sweep as the command line asks for it.</summary>
internal sealed record SweepRequest
{
    // A century.
    private const double MostHours = 1e6;

    public required string? File { get; init; }

    public required string? Folder { get; init; }

    public required bool Resume { get; init; }

    public required bool RetryFailed { get; init; }

    public required string[] Models { get; init; }

    public required string? Worker { get; init; }

    public required string? Memory { get; init; }

    public required SampleLimit? Limit { get; init; }

    /// <summary>Hours after which no further sample is begun; null for as long as it takes.</summary>
    public double? BudgetHours { get; init; }

    public required int? Threads { get; init; }

    public required string Device { get; init; }

    /// <summary>Devices that each have a process; null for one process on <see cref="Device"/>.</summary>
    public required string? Devices { get; init; }

    public required IReadOnlyList<PictureFormat> Formats { get; init; }

    public required bool Html { get; init; }

    /// <summary>Write no report.</summary>
    public required bool NoReport { get; init; }

    public required bool Quiet { get; init; }

    public required bool Json { get; init; }

    /// <summary>The config is that of the run in <see cref="Folder"/>.</summary>
    private bool IsOfRun => File is null && (Resume || Worker is not null) && Folder is not null && RunHistory.IsIn(Folder);

    /// <summary>What is to be swept.</summary>
    /// <exception cref="ConfigException">The config is wrong, or there is nothing to resume.</exception>
    public SweepConfig Config() => File is not null ? SweepConfig.Load(File, Models)
        : IsOfRun ? RunConfig.Read(Folder!, Models)
        : Resume && Worker is null && Folder is not null ? throw RunFolderName.NothingToResume(Folder)
        : SweepConfig.Quickstart(Models);

    /// <summary>The run folder.</summary>
    /// <param name="config">What is swept.</param>
    /// <exception cref="Text.Input.ConfigException">There is nothing to resume.</exception>
    public string RunFolder(SweepConfig config) => RunFolderName.Of(config.Name, Folder, Resume, Worker);

    /// <summary>Most samples of each task; null for all.</summary>
    public int? MostSamples() => Limit is { } given ? given.Most : IsOfRun ? RunHistory.LimitOf(Folder!) : null;

    /// <summary>The same for one of several workers.</summary>
    public SweepRequest On(WorkerDevice worker) => this with
    {
        Device = worker.Name,
        Devices = null,
        Memory = Memory ?? (worker.ShareBytes is { } bytes ? string.Create(CultureInfo.InvariantCulture, $"{bytes}B") : null),
    };

    /// <summary>Where and how.</summary>
    /// <param name="config">What.</param>
    /// <param name="backend">On what.</param>
    public SweepOptions Options(SweepConfig config, Backend backend) => new()
    {
        Backend = backend,
        Folder = RunFolder(config),
        Resume = Resume,
        RetryFailed = RetryFailed,
        Worker = Worker,
        Room = Memory is null ? null : ByteText.Parse("--memory", Memory),
        Limit = MostSamples(),
        Budget = BudgetHours is { } hours ? TimeSpan.FromHours(Math.Clamp(hours, -1, MostHours)) : null,
    };
}
