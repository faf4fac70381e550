using KvPareto.Sweep.Results;

namespace KvPareto.Sweep.Journaling;

/// <summary>One line of a journal.</summary>
internal sealed record JournalEvent
{
    /// <summary>A process began to work on the sweep; carries <see cref="Run"/>.</summary>
    public const string RunStarted = "run";

    /// <summary>A trial's first sample is about to be measured; carries <see cref="Trial"/>.</summary>
    public const string TrialStarted = "started";

    /// <summary>A trial is done; carries <see cref="Trial"/> and <see cref="Result"/>.</summary>
    public const string TrialFinished = "finished";

    /// <summary>A trial could not be done; carries <see cref="Trial"/> and <see cref="Result"/> with the reason.</summary>
    public const string TrialFailed = "failed";

    /// <summary>The search does without a trial; carries <see cref="Trial"/> and <see cref="Result"/> with the reason.</summary>
    public const string TrialDropped = "dropped";

    public required string Event { get; init; }

    public RunRecord? Run { get; init; }

    public string? Trial { get; init; }

    /// <summary>Samples that a trial had when it was begun or gone on with; null in journals of earlier versions.</summary>
    public int? Samples { get; init; }

    public TrialResult? Result { get; init; }

    /// <summary>When it was written.</summary>
    public required DateTimeOffset At { get; init; }
}
