using KvPareto.Sweep.Results;

namespace KvPareto.Sweep.Journaling;

/// <summary>What the journals of a run folder say when read from their beginnings.</summary>
internal sealed class JournalState
{
    private readonly HashSet<string> _started = [];
    private readonly Dictionary<string, List<TrialResult>> _results = [];
    private readonly Dictionary<string, List<(RunHost Host, int? Samples, DateTimeOffset At)>> _starts = [];
    private readonly List<RunRecord> _runs = [];
    private RunRecord? _inForce;
    private RunRecord? _latest;
    private RunRecord? _searchOf;
    private string? _search;
    private RunHost? _host;

    /// <summary>The plan in force: that of <c>run.json</c>, else that of the run that began last. Null where none began.</summary>
    public RunRecord? Run => _inForce ?? _latest;

    /// <summary>The trial is of the plan in force.</summary>
    public bool IsPlanned(string trialId) => Run?.Trials.Any(trial => trial.Id == trialId) == true;

    /// <summary>All runs that began.</summary>
    public IReadOnlyList<RunRecord> Runs => _runs;

    /// <summary>When the first run began.</summary>
    public DateTimeOffset? StartedAt { get; private set; }

    /// <summary>Lines without a checksum, of a version that wrote none.</summary>
    public int Unsealed { get; set; }

    /// <summary>Ids of the trials of which anything may have been measured.</summary>
    public IReadOnlyCollection<string> Started => _started;

    /// <summary>Ids of the trials that have a result.</summary>
    public IReadOnlyCollection<string> WithResult => [.. _results.Keys.Where(id => Candidates(id).Count > 0)];

    /// <summary>The result of a trial, or null while it has none. A good one counts before a failure, that before being dropped by the
    /// search in force, then the first.</summary>
    public TrialResult? Result(string trialId) => Candidates(trialId) is [var first, ..] ? first : null;

    /// <summary>
    /// Results of a trial that are as good as the one that counts. There are several where a worker that stood still for long came to its
    /// end after all: one of them is that of the samples in the folder.
    /// </summary>
    public IReadOnlyList<TrialResult> Candidates(string trialId)
    {
        if (!_results.TryGetValue(trialId, out var results)) return [];
        foreach (var status in (ReadOnlySpan<string>)[TrialStatus.Ok, TrialStatus.Failed])
        {
            TrialResult[] same = [.. results.Where(result => result.Status == status)];
            if (same.Length > 0) return same;
        }
        var search = SearchInForce();
        return [.. results.Where(result => result.DroppedBy == search)];
    }

    private string? SearchInForce()
    {
        if (!ReferenceEquals(_searchOf, Run)) (_searchOf, _search) = (Run, Run?.SearchId());
        return _search;
    }

    /// <summary>How often a trial has failed.</summary>
    public int Failures(string trialId) =>
        _results.TryGetValue(trialId, out var results) ? results.Count(result => result.Status == TrialStatus.Failed) : 0;

    /// <summary>All results in the order of the plan, whichever worker had them and when.</summary>
    public IReadOnlyList<TrialResult> Results() =>
        Run is null ? [] : [.. Run.Trials.Select(trial => Result(trial.Id)).OfType<TrialResult>()];

    /// <summary>Makes one of a trial's candidates the one that counts.</summary>
    public void Settle(TrialResult result) => _results[result.TrialId] = [result];

    /// <summary>Where a trial was measured, in the order of time; none where that is not known.</summary>
    public IReadOnlyList<RunHost> HostsOf(TrialResult result)
    {
        if (!_starts.TryGetValue(result.TrialId, out var starts)) return [];
        var inOrder = starts.OrderBy(start => start.At).ToList();
        // Who found as many samples as the next one measured nothing.
        RunHost[] measured =
        [
            .. inOrder.Zip(inOrder.Skip(1).Select(start => start.Samples).Append(result.Samples))
                .Where(pair => pair.First.Samples is not { } found || pair.Second is not { } left || left > found)
                .Select(pair => pair.First.Host),
        ];
        return measured.Length > 0 ? measured : [.. inOrder.Select(start => start.Host)];
    }

    /// <summary>Where a trial was begun or gone on with last; null where it was not.</summary>
    public RunHost? LastHostOf(string trialId) =>
        _starts.TryGetValue(trialId, out var starts) ? starts.MaxBy(start => start.At).Host : null;

    /// <summary>The events that follow are of another worker's journal.</summary>
    public void BeginJournal() => _host = null;

    /// <summary>Takes in one event.</summary>
    public void Add(JournalEvent entry)
    {
        if (entry.Run is { } run)
        {
            Add(run);
            _host = run.Host;
        }
        if (entry.Trial is { } trial) _started.Add(trial);
        if (entry is { Event: JournalEvent.TrialStarted, Trial: { } begun } && _host is { } host)
        {
            if (!_starts.TryGetValue(begun, out var starts)) _starts[begun] = starts = [];
            starts.Add((host, entry.Samples, entry.At));
        }
        if (entry.Result is not { } result) return;
        if (_results.TryGetValue(result.TrialId, out var results)) results.Add(result);
        else _results[result.TrialId] = [result];
    }

    /// <summary>Takes in the run of <c>run.json</c>.</summary>
    public void SetInForce(RunRecord run)
    {
        _inForce = run;
        Add(run);
    }

    private void Add(RunRecord run)
    {
        _runs.Add(run);
        if (_latest is null || run.StartedAt >= _latest.StartedAt) _latest = run;
        if (StartedAt is null || run.StartedAt < StartedAt) StartedAt = run.StartedAt;
    }
}
