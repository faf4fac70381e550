using System.Text.Json.Serialization;
using KvPareto.Engine.Seam;

namespace KvPareto.Sweep.Results;

/// <summary>One finished, failed or dropped trial as the journal has it: everything that a report needs.</summary>
public sealed record TrialResult
{
    /// <summary>16 hex digits: hash of the trial's canonical JSON.</summary>
    public required string TrialId { get; init; }

    /// <summary>Name in the config, for example <c>embedded:llama</c>.</summary>
    public required string Model { get; init; }

    /// <summary>SHA-256 (hex) over the model's files.</summary>
    public required string ModelDigest { get; init; }

    /// <summary>For other weights of a model (AWQ, GGUF) the digest of that model, on whose frontier they stand; null for the model
    /// itself.</summary>
    public string? OriginalDigest { get; init; }

    /// <summary>Where such weights come from, in the config's words.</summary>
    public string? WeightSource { get; init; }

    /// <summary>Digest of the model on whose frontier the trial stands.</summary>
    internal string FrontierDigest => OriginalDigest ?? ModelDigest;

    /// <summary>Short name; <see cref="Engine.Settings.InferenceSetting.Parse"/> reads it.</summary>
    public required string Setting { get; init; }

    /// <summary><c>ok</c>, <c>failed</c> or <c>dropped</c>.</summary>
    public required string Status { get; init; }

    /// <summary>Reason of a failed or dropped trial.</summary>
    public string? Failure { get; init; }

    /// <summary>Of a dropped trial the search and the plan that it was decided under, as 16 hex digits: under others it does not
    /// count.</summary>
    public string? DroppedBy { get; init; }

    /// <summary>One entry a task that is scored, in config order.</summary>
    public required IReadOnlyList<TaskScore> Scores { get; init; }

    /// <summary>Mean over tasks of the task means, 0 to 100; null where the trial failed or no task is scored.</summary>
    public double? Score { get; init; }

    /// <summary>High-water marks of load, prefill and decode, each the highest over all samples.</summary>
    public MemoryPeaks Peaks { get; init; }

    /// <summary>The highest of the trial's peaks, loading included, as predicted from shapes alone; null where it was not.</summary>
    public long? PredictedPeakBytes { get; init; }

    /// <summary>Bytes of weights at the inference peak.</summary>
    public long WeightBytes { get; init; }

    /// <summary>Bytes of KV cache at the inference peak.</summary>
    public long KvCacheBytes { get; init; }

    /// <summary>Time from prompt in to first token out, milliseconds: median over samples, warm-up excluded.</summary>
    public double? TtftMs { get; init; }

    /// <summary>Mean time of each later token, milliseconds: median over samples, warm-up excluded.</summary>
    public double? TpotMs { get; init; }

    /// <summary>How far the samples' times to the first token lie apart; null where there are none, or in journals of earlier
    /// versions.</summary>
    public TimeSpread? TtftSpread { get; init; }

    /// <summary>The same of each later token.</summary>
    public TimeSpread? TpotSpread { get; init; }

    /// <summary>Samples over all tasks.</summary>
    public int Samples { get; init; }

    /// <summary>Those of tasks that have no score; null where there are none.</summary>
    public int? UnscoredSamples { get; init; }

    /// <summary>Tokens of the prompts that the tasks were made to; null where they have lengths of their own.</summary>
    public int? Context { get; init; }

    /// <summary>The devices that it was begun and gone on with on, in words; null where the journal does not say.</summary>
    [JsonIgnore]
    public string? Device { get; init; }

    /// <summary>Their instructions, in words; null where the journal does not say.</summary>
    [JsonIgnore]
    public string? Instructions { get; init; }

    /// <summary>Most samples that were measured of each task; null where there was no limit.</summary>
    [JsonIgnore]
    public int? Limit { get; init; }

    /// <summary>Number of a repeat of the baseline, from 1, which tells how far figures move by themselves; null for a trial of the
    /// sweep.</summary>
    public int? Repeat { get; init; }

    /// <summary>A comparison that a search ranks settings by; null for a trial of the sweep.</summary>
    public bool? Probe { get; init; }
}

/// <summary>What one task gave in one trial.</summary>
/// <param name="Task">Name of the task.</param>
/// <param name="Digest">SHA-256 (hex) over the task's data and all else that its score depends on.</param>
/// <param name="Samples">Number of samples.</param>
/// <param name="Mean">Mean score, 0 to 100.</param>
/// <param name="PerSample">Score of each sample, 0 to 1, in sample order.</param>
public sealed record TaskScore(string Task, string Digest, int Samples, double Mean, IReadOnlyList<double> PerSample)
{
    /// <summary>Further means that decide nothing: of another way to score, or of a part of the samples. Null where there are
    /// none.</summary>
    public IReadOnlyList<PartScore>? Parts { get; init; }
}

/// <summary>A mean that is reported beside a task's.</summary>
/// <param name="Name">Name within the task.</param>
/// <param name="Samples">Number of samples that it is over.</param>
/// <param name="Mean">Mean score, 0 to 100.</param>
public sealed record PartScore(string Name, int Samples, double Mean)
{
    /// <summary>Score of each of these samples, 0 to 1, in sample order; null in journals of earlier versions.</summary>
    public IReadOnlyList<double>? PerSample { get; init; }
}

/// <summary>How far times lie apart, over the samples that their median is of.</summary>
/// <param name="MinMs">The shortest, milliseconds.</param>
/// <param name="MaxMs">The longest.</param>
public sealed record TimeSpread(double MinMs, double MaxMs)
{
    /// <summary>Standard deviation; null of a single sample.</summary>
    public double? DeviationMs { get; init; }
}
