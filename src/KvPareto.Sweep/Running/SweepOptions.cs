using System.Text.RegularExpressions;
using KvPareto.Engine.Seam;
using KvPareto.Sweep.Leases;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Running;

/// <summary>Where and how a sweep is run.</summary>
public sealed partial record SweepOptions
{
    /// <summary>The device.</summary>
    public required Backend Backend { get; init; }

    /// <summary>Run folder.</summary>
    public required string Folder { get; init; }

    /// <summary>Go on with the run in <see cref="Folder"/>; without it the folder must be empty or new.</summary>
    public bool Resume { get; init; }

    /// <summary>Run trials again that failed in an earlier run.</summary>
    public bool RetryFailed { get; init; }

    /// <summary>
    /// Name of this process where several work on one folder, each with a journal of its own; implies <see cref="Resume"/>.
    /// Null for a run of one process.
    /// </summary>
    public string? Worker { get; init; }

    /// <summary>Bytes that a trial may take: one whose predicted peak is higher is listed and not run. Null for the device's
    /// memory.</summary>
    public long? Room { get; init; }

    /// <summary>Most samples that are measured of each task; null for all.</summary>
    public int? Limit { get; init; }

    /// <summary>Time after which no further sample is begun; null for as long as it takes.</summary>
    public TimeSpan? Budget { get; init; }

    /// <summary>What the budget is read from.</summary>
    internal TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>How soon a worker that stands still loses what it holds.</summary>
    internal LeaseTimes Leases { get; init; } = LeaseTimes.Default;

    /// <summary>Refuses what cannot be a folder's or a worker's name.</summary>
    /// <exception cref="ConfigException">The folder is none, or the name cannot be part of a file name.</exception>
    internal void Validate()
    {
        if (string.IsNullOrWhiteSpace(Folder)) throw new ConfigException($"--out '{Folder}'; allowed: a folder");
        if (Limit < 1) throw new ConfigException($"--limit {Limit}; allowed: 1 or more samples of each task, or all");
        if (Budget <= TimeSpan.Zero) throw new ConfigException($"--budget-hours {Budget.Value.TotalHours}; allowed: a number above 0");
        if (Worker is not null && !WorkerName().IsMatch(Worker))
            throw new ConfigException($"--worker '{Worker}'; allowed: 1 to 64 letters, digits, '_' and '-'");
    }

    [GeneratedRegex(@"\A[A-Za-z0-9_-]{1,64}\z")]
    private static partial Regex WorkerName();
}
