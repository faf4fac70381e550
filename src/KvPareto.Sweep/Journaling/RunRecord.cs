using System.Text.Json.Nodes;
using KvPareto.Sweep.Results;

namespace KvPareto.Sweep.Journaling;

/// <summary>What was run, with what and where: the content of <c>run.json</c> and of each <c>run</c> event of a journal.</summary>
internal sealed record RunRecord
{
    /// <summary>Name of the sweep.</summary>
    public required string Name { get; init; }

    public required int Seed { get; init; }

    /// <summary>Short name of the setting that others are compared with.</summary>
    public required string Baseline { get; init; }

    /// <summary>When the sweep was begun; of a resumed one the first time.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    public required RunHost Host { get; init; }

    /// <summary>SHA-256 (hex) over <see cref="Config"/>.</summary>
    public required string ConfigDigest { get; init; }

    /// <summary>The config's YAML.</summary>
    public required string Config { get; init; }

    /// <summary>Its file as it was named; null where it had none, and in folders of versions that did not write it.</summary>
    public string? ConfigFile { get; init; }

    /// <summary>Where its relative paths start; null as above.</summary>
    public string? ConfigFolder { get; init; }

    /// <summary>Models that stood in for the config's; null for none.</summary>
    public IReadOnlyList<string>? ConfigModels { get; init; }

    /// <summary>What chat templates were told, and the date that they read; null in folders of versions that did not write it.</summary>
    public JsonObject? Template { get; init; }

    /// <summary>Most samples that are measured of each task; null for all.</summary>
    public int? Limit { get; init; }

    public required IReadOnlyList<RunInput> Models { get; init; }

    /// <summary>Architectures by model name, in the words of <c>config.json</c>; null in folders of versions that did not write
    /// it, and a model is left out that it has no words for.</summary>
    public IReadOnlyDictionary<string, JsonObject>? Architectures { get; init; }

    public required IReadOnlyList<RunInput> Tasks { get; init; }

    /// <summary>All trials in the order of reports.</summary>
    public required IReadOnlyList<RunTrial> Trials { get; init; }

    /// <summary>How settings are chosen; null where all are measured.</summary>
    public string? Search { get; init; }

    /// <summary>What a dropped trial must name to count: a hash of <see cref="Search"/> and the plan; null where none is
    /// dropped.</summary>
    public string? SearchId() => Search is null ? null
        : TextHash.Id(string.Join('\n', Trials.Select(trial => trial.Id).Prepend(Search)));
}

/// <summary>A model or task.</summary>
/// <param name="Name">Name in the config.</param>
/// <param name="Digest">SHA-256 (hex).</param>
internal sealed record RunInput(string Name, string Digest)
{
    /// <summary>Tokens that a task was made to; null where it has lengths of its own, and of models.</summary>
    public int? Context { get; init; }

    /// <summary>A task that has no score; null for all others.</summary>
    public bool? Unscored { get; init; }

    /// <summary>A task that a search ranks settings by; null for all others.</summary>
    public bool? Probe { get; init; }
}

/// <summary>A trial of the plan.</summary>
internal sealed record RunTrial(string Id, string Model, string Setting)
{
    /// <summary>Number of a repeat of the baseline, from 1; null for a trial of the sweep.</summary>
    public int? Repeat { get; init; }

    /// <summary>Tokens that its tasks were made to; null where they have lengths of their own.</summary>
    public int? Context { get; init; }

    /// <summary>A comparison that a search ranks settings by; null for a trial of the sweep.</summary>
    public bool? Probe { get; init; }
}
