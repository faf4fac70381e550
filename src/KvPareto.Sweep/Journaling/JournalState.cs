namespace KvPareto.Sweep.Journaling;

/// <summary>What the journals of a run folder say when read from their beginnings.</summary>
internal sealed class JournalState
{
    private readonly HashSet<string> _started = [];
    private readonly Dictionary<string, TrialResult> _results = [];

    /// <summary>The run that planned the most trials: a resumed one may have added some. Null where none began.</summary>
    public RunRecord? Run { get; private set; }

    /// <summary>When the first run began.</summary>
    public DateTimeOffset? StartedAt { get; private set; }

    /// <summary>Ids of the trials of which anything may have been measured.</summary>
    public IReadOnlyCollection<string> Started => _started;

    /// <summary>The result of a trial, or null while it has none. A good one counts before a failure.</summary>
    public TrialResult? Result(string trialId) => _results.GetValueOrDefault(trialId);

    /// <summary>All results in the order of the plan, whichever worker had them and when.</summary>
    public IReadOnlyList<TrialResult> Results() =>
        Run is null ? [] : [.. Run.Trials.Select(trial => Result(trial.Id)).OfType<TrialResult>()];

    /// <summary>Takes in one event.</summary>
    public void Add(JournalEvent entry)
    {
        if (entry.Run is { } run)
        {
            if (Run is null || run.Trials.Count >= Run.Trials.Count) Run = run;
            if (StartedAt is null || run.StartedAt < StartedAt) StartedAt = run.StartedAt;
        }
        if (entry.Trial is { } trial) _started.Add(trial);
        if (entry.Result is { } result && Result(result.TrialId) is not { Status: TrialStatus.Ok }) _results[result.TrialId] = result;
    }
}
