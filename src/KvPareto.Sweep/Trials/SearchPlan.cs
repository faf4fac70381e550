using KvPareto.Sweep.Journaling;
using KvPareto.Sweep.Results;
using KvPareto.Sweep.Search;
using KvPareto.Tasks.Predictions;

namespace KvPareto.Sweep.Trials;

/// <summary>
/// What is to be done next of a plan: what a search wants of each model's settings at each context, given what all workers have measured,
/// and whatever is no setting's trial.
/// </summary>
internal sealed class SearchPlan
{
    private readonly SearchOptions _options;
    private readonly LogSight _logs;
    private readonly Dictionary<string, double> _divergences = []; // of probes that are done, by trial
    private readonly Dictionary<PreparedTask, int[]> _orders = new(ReferenceEqualityComparer.Instance);
    private readonly IReadOnlyList<Group> _groups;
    private readonly IReadOnlyList<PlannedTrial> _others;

    /// <summary>The searches of a plan.</summary>
    /// <param name="plan">Plan.</param>
    /// <param name="engine">Predicts peaks.</param>
    /// <param name="folder">Run folder.</param>
    public SearchPlan(SweepPlan plan, ITrialEngine engine, string folder)
    {
        (_options, _logs) = (plan.Search, new(folder));
        var probes = plan.RunOrder.Where(trial => trial.Spec.IsProbe)
            .ToDictionary(trial => (trial.Spec.ModelDigest, trial.Spec.Setting.Name, trial.Spec.Context));
        _others = [.. plan.RunOrder.Where(trial => trial.Spec.Repeat is not null)];
        _groups =
        [
            .. plan.RunOrder.Where(trial => trial.Spec is { Repeat: null, IsProbe: false })
                .GroupBy(trial => (trial.Model.OriginalDigest, trial.Spec.Context))
                .Select(group => new Group(_options.Create(), [.. group.Select(trial => new Candidate(
                    trial, probes.GetValueOrDefault((trial.Spec.ModelDigest, trial.Spec.Setting.Name, trial.Spec.Context)),
                    _options.Chooses ? engine.ExpectedPeak(trial) : 0, _options.Chooses && engine.Predict(trial) > engine.Room))])),
        ];
    }

    /// <summary>All that can be done now, in the order of running; nothing where the sweep is at its end.</summary>
    /// <param name="state">What the journals say.</param>
    /// <param name="isDone">Whether a trial has a result that counts; being dropped is none.</param>
    public IReadOnlyList<TrialWork> Next(JournalState state, Func<PlannedTrial, bool> isDone)
    {
        _logs.Look();
        return
        [
            .. _groups.SelectMany(group => Next(group, state, isDone))
                .Concat(_others.Where(trial => !isDone(trial)).Select(trial => new TrialWork(trial)))
                .OrderBy(work => work.Dropped is null).ThenBy(work => work.Trial.Index),
        ];
    }

    private IEnumerable<TrialWork> Next(Group group, JournalState state, Func<PlannedTrial, bool> isDone)
    {
        var settings = group.Settings;
        // What cannot fit is known to fail before anything is decided.
        TrialWork[] hopeless =
            [.. settings.Where(one => one.IsTooLarge && !isDone(one.Trial)).Select(one => new TrialWork(one.Trial))];
        if (hopeless.Length > 0) return hopeless;
        var step = group.Search.Next([.. settings.Select(one => Point(one, state, isDone))]);
        var dropped = step.Dropped.Select(verdict => new TrialWork(settings[verdict.Point].Trial) { Dropped = verdict.Reason })
            .Where(work => !isDone(work.Trial) && state.Result(work.Trial.Spec.Id)?.Status != TrialStatus.Dropped);
        return dropped.Concat(step.Wishes.Select(wish => Work(settings[wish.Point], wish)));
    }

    private TrialWork Work(Candidate candidate, SearchWish wish) => wish switch
    {
        ProbeWish => new(candidate.Probe!),
        PartWish part => new(candidate.Trial)
        {
            Part =
            [
                .. candidate.Trial.Model.Tasks.Zip(part.Counts).SelectMany(pair => Order(pair.First).Take(pair.Second)
                    .Select(index => (pair.First.Task, pair.First.Samples[index]))),
            ],
        },
        _ => new(candidate.Trial),
    };

    private SearchPoint Point(Candidate candidate, JournalState state, Func<PlannedTrial, bool> isDone)
    {
        var probe = candidate.Probe is { } trial && isDone(trial) ? state.Result(trial.Spec.Id) : null;
        var result = isDone(candidate.Trial) ? state.Result(candidate.Trial.Spec.Id) : null;
        return new(candidate.Trial.Spec.Setting, () => Seen(candidate.Trial))
        {
            IsBaseline = candidate.Trial.IsBaseline,
            PeakBytes = candidate.PeakBytes,
            State = result is null ? PointState.Open : result.Status == TrialStatus.Ok ? PointState.Measured : PointState.Failed,
            Divergence = probe?.Status == TrialStatus.Ok ? DivergenceOf(probe.TrialId) : null,
            ProbeFailure = probe?.Failure,
        };
    }

    private IReadOnlyList<SeenTask> Seen(PlannedTrial trial)
    {
        var records = _logs.Read(trial.Spec.Id);
        return
        [
            .. trial.Model.Tasks.Select(task => new SeenTask(task.Samples.Count, task.Task.Task.IsScored,
            [
                .. Order(task).Select(index => records.GetValueOrDefault((task.Task.Name, task.Samples[index].Id)))
                    .TakeWhile(record => record is not null).Select(record => record!.Score),
            ])),
        ];
    }

    // Asked of every setting in every round.
    private double DivergenceOf(string trialId) => _divergences.TryGetValue(trialId, out var known) ? known
        : _divergences[trialId] = Divergence(_logs.Read(trialId).Values);

    /// <summary>Mean KL divergence over a probe's prompts.</summary>
    internal static double Divergence(IEnumerable<SampleRecord> records) =>
        records.Select(record => record.Prediction).OfType<FidelityPrediction>().Average(prediction => prediction.Figures.KlMean);

    private int[] Order(PreparedTask task) => _orders.TryGetValue(task, out var known) ? known
        : _orders[task] = SampleOrder.Of(task.Task.Name, task.Samples.Count, _options.Seed);

    // Settings of one model at one context, and what decides between them.
    private sealed record Group(ISearch Search, IReadOnlyList<Candidate> Settings);

    private sealed record Candidate(PlannedTrial Trial, PlannedTrial? Probe, long PeakBytes, bool IsTooLarge);
}
