using KvPareto.Engine.Seam;
using KvPareto.Tasks.Predictions;

namespace KvPareto.Sweep.Journaling;

/// <summary>One measured sample: a line of <c>samples/&lt;trial&gt;.jsonl</c>.</summary>
internal sealed record SampleRecord
{
    /// <summary>The task's name in the config.</summary>
    public required string Task { get; init; }

    /// <summary>The sample's id within the task.</summary>
    public required string Sample { get; init; }

    /// <summary>Where the prompt begins, for people; null in folders of earlier versions.</summary>
    public string? PromptHead { get; init; }

    /// <summary>Where it ends; null also where <see cref="PromptHead"/> is all of it.</summary>
    public string? PromptTail { get; init; }

    /// <summary>Right answers; null where there are none, and in folders of earlier versions.</summary>
    public IReadOnlyList<string>? References { get; init; }

    /// <summary>What the model made of it.</summary>
    public required Prediction Prediction { get; init; }

    /// <summary>0 to 1; 0 where the task has no score.</summary>
    public required double Score { get; init; }

    /// <summary>Further scores by name, 0 to 1; null where there are none.</summary>
    public IReadOnlyDictionary<string, double>? Parts { get; init; }

    public required int PromptTokens { get; init; }

    public required int NewTokens { get; init; }

    public required MemoryPeaks Peaks { get; init; }

    /// <summary>What was measured, by all that determines it (<see cref="Trials.SampleAddress"/>); null in logs of earlier
    /// versions.</summary>
    public string? Address { get; init; }

    /// <summary>The trial of an earlier config whose sample this is; null where it was measured for this one.</summary>
    public string? MeasuredIn { get; init; }

    /// <summary>Among the first of its process and trial: its times do not count.</summary>
    public bool WarmUp { get; init; }

    /// <summary>Samples at the most that were answered together with it; null where it was answered alone.</summary>
    public int? BatchSize { get; init; }

    /// <summary>Tokens of the prompt that were taken over from another, with prefix caching; null where it was read by itself.</summary>
    public int? PrefixTokens { get; init; }

    /// <summary>True where it shared work with others.</summary>
    public bool IsShared => BatchSize is not null || PrefixTokens is not null;

    /// <summary>Prompt in to first token out.</summary>
    public required double TtftMs { get; init; }

    /// <summary>Mean of each later token; null where there was none. With <see cref="BatchSize"/> its share of the steps' time.</summary>
    public double? TpotMs { get; init; }

    /// <summary>The time to the first token of a whole prompt, where it counts to the trial's.</summary>
    public double? TimedTtftMs => WarmUp || PrefixTokens is not null ? null : TtftMs;

    /// <summary>The time of each later token by itself, where it counts to the trial's.</summary>
    public double? TimedTpotMs => WarmUp || IsShared ? null : TpotMs;

    /// <summary>From prompt in to last token out.</summary>
    public double Seconds => (TtftMs + (TpotMs ?? 0) * Math.Max(0, NewTokens - 1)) / 1000;
}
