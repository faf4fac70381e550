using System.Globalization;
using KvPareto.Engine.Settings;
using KvPareto.Sweep.Results;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Frontier;

/// <summary>
/// The frontiers of a run. Only trials scored on the same tasks (name, digest and number of samples) are compared: those of one
/// model (its own weights and all variants of them) give its frontier, those of all models the overall one.
/// </summary>
internal sealed class FrontierAnalysis
{
    private const int DigestDigits = 8;

    private FrontierAnalysis(IReadOnlyList<ModelFrontier> models, IReadOnlyList<string> messages) =>
        (Models, Messages) = (models, messages);

    /// <summary>One entry for each model and set of tasks, by name; models of which every trial failed included.</summary>
    public IReadOnlyList<ModelFrontier> Models { get; }

    /// <summary>What a user should know of the comparison, one line each.</summary>
    public IReadOnlyList<string> Messages { get; }

    /// <summary>Computes all frontiers; the order of <paramref name="results"/> and the number of threads do not matter.</summary>
    /// <param name="results">Trials of a run, repeats of the baseline among them. Of several with one model and id an <c>ok</c> one
    /// counts, and the later of two alike.</param>
    /// <param name="baseline">Short name of the setting that losses and savings refer to.</param>
    /// <param name="seed">Seed of the bootstrap.</param>
    /// <param name="resamples">Resamples of the bootstrap, at least 1.</param>
    /// <exception cref="ConfigException"><paramref name="baseline"/> is no setting.</exception>
    public static FrontierAnalysis Of(
        IReadOnlyList<TrialResult> results, string baseline, long seed, int resamples = PairedBootstrap.DefaultResamples)
    {
        var baselineName = InferenceSetting.Parse(baseline).Name;
        var all = Distinct(results);
        var (trials, repeats) = (all.FindAll(trial => trial.Repeat is null), all.FindAll(trial => trial.Repeat is not null));
        var unscored = trials.FindAll(IsUnscored);
        trials.RemoveAll(IsUnscored);
        var unplaced = trials.Select(trial => new UnplacedTrial(trial, Flaw(trial))).Where(trial => trial.Reason.Length > 0).ToList();
        var failedOf = unplaced.ToLookup(failed => (failed.Trial.Model, failed.Trial.FrontierDigest, failed.Trial.Context));
        var messages = new List<string>();
        var models = new List<ModelFrontier>();
        var placed = trials.Where(trial => Flaw(trial).Length == 0).ToList();
        foreach (var comparable in placed.GroupBy(trial => (trial.Peaks.Kind, Tasks: TaskSet(trial))).OrderBy(set => set.Key.Kind)
            .ThenBy(set => set.Key.Tasks, StringComparer.Ordinal))
            models.AddRange(OfTaskSet([.. comparable], repeats, baselineName, seed, resamples));
        var taskSets = placed.GroupBy(trial => trial.Context)
            .Select(context => context.Select(TaskSet).Distinct().Count()).DefaultIfEmpty().Max();
        var kinds = placed.Select(trial => trial.Peaks.Kind).Distinct().Count();
        if (taskSets > 1)
            messages.Add($"the trials were scored on {taskSets} different sets of tasks; frontiers compare only trials of the same set");
        if (kinds > 1)
            messages.Add(
                $"the trials' peaks were got in {kinds} different ways (peak_kind of results.csv); frontiers compare only trials of the "
                    + "same way");

        foreach (var model in unscored.GroupBy(trial => (trial.Model, trial.FrontierDigest, trial.Context, trial.Peaks.Kind)))
            models.Add(new(model.Key.Model, [], [])
            { Unscored = CostPoint.Of([.. model], trial => IsSetting(trial, baselineName)) });
        models = Named(models, failedOf);
        messages.AddRange(models.Where(model => model.Noise is not null).Select(model => Noise(model.Model, model.Noise!)));
        foreach (var model in models.Where(model => model.Unscored.Count > 0))
            messages.Add($"{model.Model}: its tasks have no score; memory and times are all that its settings are compared by");
        foreach (var model in models.Where(model => model.Points.Count == 0 && model.Unscored.Count == 0))
            messages.Add($"{model.Model}: no trial has a result");
        foreach (var model in models.Where(model => model.Points.Count > 0 && model.Baseline is null))
            messages.Add($"{model.Model}: the baseline {baselineName} has no result, so losses and savings are left empty");
        foreach (var failed in unplaced.Where(failed => failed.Trial.Status == TrialStatus.Ok))
            messages.Add($"{failed.Trial.Model} {ContextText.Of(failed.Trial.Setting, failed.Trial.Context)}: left out, {failed.Reason}");
        return new(models, messages);
    }

    private static string Noise(string model, NoiseFloor noise) => string.Create(
        CultureInfo.InvariantCulture,
        $"{model}: the baseline measured {1 + noise.Repeats} times in all gives scores within {noise.Score:F2} points (samples that "
        + $"differ: {noise.Samples}) and peaks within {noise.PeakBytes} B; median times within {Percent(noise.TtftPercent)} "
        + $"to the first token, {Percent(noise.TpotPercent)} for later ones");

    private static string Percent(double? value) =>
        value is { } percent ? string.Create(CultureInfo.InvariantCulture, $"{percent:F1} %") : "-";

    private static List<TrialResult> Distinct(IReadOnlyList<TrialResult> results) =>
    [
        // The same trial on two machines is two models' by name.
        .. results.GroupBy(trial => (trial.Model, trial.TrialId))
            .Select(same => same.LastOrDefault(trial => trial.Status == TrialStatus.Ok) ?? same.Last())
            .OrderBy(trial => trial.Model, StringComparer.Ordinal)
            .ThenBy(trial => trial.ModelDigest, StringComparer.Ordinal)
            .ThenBy(trial => trial.Setting, StringComparer.Ordinal)
            .ThenBy(trial => trial.TrialId, StringComparer.Ordinal),
    ];

    /// <summary>
    /// Why a trial cannot be a point; empty where it can. A journal is a file from outside, so "ok" alone is not believed.
    /// </summary>
    private static string Flaw(TrialResult trial)
    {
        if (trial.Status != TrialStatus.Ok) return trial.Failure is { Length: > 0 } failure ? failure : $"{trial.Status} without a reason";
        if (trial.Score is not double score || !double.IsFinite(score)) return "it has no score";
        if (trial.Scores.Count == 0 || trial.Scores.Any(task => task.PerSample.Count == 0)) return "a task has no samples";
        if (trial.Scores.Any(task => !double.IsFinite(task.Mean) || task.PerSample.Any(value => !double.IsFinite(value))))
            return "a sample's score is not a number";
        return trial.Peaks.Inference.Total > 0 ? "" : "no peak memory was measured";
    }

    private static bool IsUnscored(TrialResult trial) =>
        trial is { Status: TrialStatus.Ok, Score: null, Scores.Count: 0 } && trial.Peaks.Inference.Total > 0;

    private static string TaskSet(TrialResult trial) =>
        string.Join('\n', trial.Scores.Select(task => $"{task.Task}\t{task.Digest}\t{task.PerSample.Count}"));

    private static IEnumerable<ModelFrontier> OfTaskSet(
        List<TrialResult> trials, List<TrialResult> repeats, string baseline, long seed, int resamples)
    {
        var bootstrap = PairedBootstrap.Over([.. trials.Select(trial => trial.Scores)], seed, resamples);
        var peaks = trials.ConvertAll(trial => trial.Peaks.Inference.Total);
        int[] everyone = [.. Enumerable.Range(0, trials.Count)];
        var (overall, overallShares) = (NonDominated(trials, everyone), bootstrap.DominatedShares(peaks, everyone));
        var models = everyone.GroupBy(trial => (trials[trial].Model, trials[trial].FrontierDigest)).ToList();
        var baselines = new int?[trials.Count];
        foreach (var model in models)
        {
            var reference = model.Where(member => IsSetting(trials[member], baseline)).Select(member => (int?)member).FirstOrDefault();
            foreach (var member in model) baselines[member] = reference;
        }
        var tasks = TaskStatistics.Of(trials, baselines, seed, resamples);
        foreach (var model in models)
        {
            int[] members = [.. model];
            var (own, shares) = (NonDominated(trials, members), bootstrap.DominatedShares(peaks, members));
            var first = baselines[members[0]] is { } reference ? trials[reference] : null;
            var points = new FrontierPoint[members.Length];
            Parallel.For(0, members.Length, place =>
            {
                var (member, trial) = (members[place], trials[members[place]]);
                points[place] = new(trial, bootstrap.Interval(member))
                {
                    OnFrontier = own[place],
                    DominatedShare = shares[place],
                    OnOverallFrontier = overall[member],
                    OverallDominatedShare = overallShares[member],
                    IsBaseline = ReferenceEquals(trial, first),
                    MemorySavedPercent = first is null ? null : 100 - 100.0 * peaks[member] / first.Peaks.Inference.Total,
                    StandardError = PairedComparison.StandardError([.. trial.Scores.Select(task => task.PerSample)]),
                    Loss = baselines[member] is not { } before ? null : PairedComparison.Loss(
                        trials[before].Scores, trial.Scores, bootstrap.LossInterval(before, member), seed),
                    Tasks = tasks[member],
                };
            });
            yield return new(
                model.Key.Model, [.. Adjusted(points).OrderBy(point => point.PeakBytes).ThenByDescending(point => point.Score)], [])
            {
                Noise = first is null ? null : NoiseFloor.Of(first, repeats.Where(repeat => repeat.ModelDigest == first.ModelDigest
                    && repeat.Setting == first.Setting && TaskSet(repeat) == TaskSet(first))),
            };
        }
    }

    private static FrontierPoint[] Adjusted(FrontierPoint[] points)
    {
        FrontierPoint[] others = [.. points.Where(point => !point.IsBaseline && point.Loss is not null)];
        var values = others.Zip(PairedComparison.Holm([.. others.Select(point => point.Loss!.P)]))
            .ToDictionary(pair => pair.First.Trial.TrialId, pair => pair.Second);
        return Array.ConvertAll(points, point =>
            values.TryGetValue(point.Trial.TrialId, out var value) ? point with { HolmP = value } : point);
    }

    private static bool[] NonDominated(List<TrialResult> trials, int[] members) => ParetoFrontier.NonDominated(
        [
            .. members.Select(member => new double[]
            {
                trials[member].Peaks.Inference.Total, PairedBootstrap.Comparable(trials[member].Score!.Value),
            }),
        ],
        [false, true]);

    private static bool IsSetting(TrialResult trial, string name) => trial.Setting == name || SettingOf(trial)?.Name == name;

    /// <summary>The trial's setting, or null where a journal of another version has a name that this one cannot read.</summary>
    internal static InferenceSetting? SettingOf(TrialResult trial) => SettingOf(trial.Setting);

    /// <summary>The setting of a short name, or null where this version cannot read it.</summary>
    internal static InferenceSetting? SettingOf(string name)
    {
        try
        {
            return InferenceSetting.Parse(name);
        }
        catch (ConfigException)
        {
            return null;
        }
    }

    /// <summary>Puts models in order of their names and contexts, makes the names unique, and adds failed trials to the first entry of
    /// the model at their context.</summary>
    private static List<ModelFrontier> Named(
        List<ModelFrontier> models, ILookup<(string Model, string Digest, int? Context), UnplacedTrial> failedOf)
    {
        var keyed = models.ConvertAll(model => (Key: KeyOf(model), Frontier: model));
        foreach (var failed in failedOf.Where(failed => !keyed.Exists(model => model.Key == failed.Key)))
            keyed.Add((failed.Key, new(failed.Key.Model, [], [])));
        var named = new List<ModelFrontier>();
        foreach (var sameName in keyed.GroupBy(model => model.Key.Model).OrderBy(name => name.Key, StringComparer.Ordinal))
        {
            var digests = sameName.GroupBy(model => model.Key.Digest).OrderBy(digest => digest.Key, StringComparer.Ordinal).ToList();
            foreach (var digest in digests)
            {
                var name = digests.Count == 1
                    ? sameName.Key
                    : $"{sameName.Key} ({digest.Key[..Math.Min(DigestDigits, digest.Key.Length)]})";
                foreach (var context in digest.GroupBy(model => model.Key.Context).OrderBy(context => context.Key ?? int.MaxValue))
                {
                    var entries = context.ToList();
                    for (var i = 0; i < entries.Count; i++)
                    {
                        var label = ContextText.Of(name, context.Key);
                        if (entries.Count > 1) label = string.Create(CultureInfo.InvariantCulture, $"{label}, tasks {i + 1}");
                        named.Add(new(label, entries[i].Frontier.Points, i == 0 ? [.. failedOf[entries[i].Key]] : [])
                        { Noise = entries[i].Frontier.Noise, Unscored = entries[i].Frontier.Unscored });
                    }
                }
            }
        }
        return named;
    }

    private static (string Model, string Digest, int? Context) KeyOf(ModelFrontier model)
    {
        var first = model.Points.Count > 0 ? model.Points[0].Trial : model.Unscored[0].Trial;
        return (model.Model, first.FrontierDigest, first.Context);
    }
}
