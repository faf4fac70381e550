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

    /// <summary>First characters of the prompt; null in logs of earlier versions.</summary>
    public string? PromptHead { get; init; }

    /// <summary>Its last characters; null where the head is all.</summary>
    public string? PromptTail { get; init; }

    /// <summary>Right answers; null where there are none, and in logs of earlier versions.</summary>
    public IReadOnlyList<string>? Answers { get; init; }

    /// <summary>What the model made of it.</summary>
    public required Prediction Prediction { get; init; }

    /// <summary>0 to 1.</summary>
    public required double Score { get; init; }

    /// <summary>Further scores by name, 0 to 1; null where there are none.</summary>
    public IReadOnlyDictionary<string, double>? Parts { get; init; }

    public required int PromptTokens { get; init; }

    public required int NewTokens { get; init; }

    public required MemoryPeaks Peaks { get; init; }

    /// <summary>Among the first of its process and trial: its times do not count.</summary>
    public bool WarmUp { get; init; }

    /// <summary>Prompt in to first token out.</summary>
    public required double TtftMs { get; init; }

    /// <summary>Mean of each later token; null where there was none.</summary>
    public double? TpotMs { get; init; }
}
