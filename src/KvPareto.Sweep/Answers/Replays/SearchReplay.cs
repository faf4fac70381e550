using KvPareto.Engine;
using KvPareto.Sweep.Frontier;
using KvPareto.Sweep.Results;
using KvPareto.Sweep.Runs;
using KvPareto.Sweep.Search;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Answers.Replays;

/// <summary>What a search would have made of a run in which everything was measured.</summary>
/// <param name="Model">Model, with its context where there are several.</param>
/// <param name="Search">The search with its options.</param>
public sealed record SearchReplay(string Model, string Search)
{
    private const int ChanceDraws = 200;
    private const double NearlyAll = 0.99;

    private static readonly bool[] Maximise = [false, true];

    /// <summary>Settings of the run.</summary>
    public required int Settings { get; init; }

    /// <summary>Settings that the search measured whole.</summary>
    public required int Whole { get; init; }

    /// <summary>Time of what it measured, probes included, as a share of the whole run's.</summary>
    public required double CostShare { get; init; }

    /// <summary>Prompts that it read, probes' included, as a share of the whole run's samples: other work that a machine had to do is not
    /// in it, nor how long a prompt takes.</summary>
    public required double PromptShare { get; init; }

    /// <summary>That of the probes alone, of time.</summary>
    public required double ProbeShare { get; init; }

    /// <summary>Hypervolume of what it measured whole, as a share of the whole run's.</summary>
    public required double HypervolumeShare { get; init; }

    /// <summary>Mean of the same of as many settings drawn by lot, the baseline among them.</summary>
    public required double ChanceShare { get; init; }

    /// <summary>Share of the run's time after which it had 99 % of the whole run's hypervolume; null where it never had.</summary>
    public required double? CostToNearlyAll { get; init; }

    /// <summary>Settings of the run's frontier.</summary>
    public required int FrontierPoints { get; init; }

    /// <summary>Those of them that the search measured whole.</summary>
    public required int FrontierFound { get; init; }

    /// <summary>Largest distance, in points of score, from a setting of the run's frontier down to the best that the search measured whole
    /// with as much memory.</summary>
    public required double LargestLoss { get; init; }

    /// <summary>Whether a search needs probes, of which a run has none.</summary>
    /// <param name="run">Folder of a run.</param>
    /// <param name="search">As the key <c>search</c> of a config says it.</param>
    /// <exception cref="ConfigException">There is no such run or search.</exception>
    public static bool LacksProbes(string run, string search) =>
        SearchReader.Parse(search, seed: 0).Probes > 0 && !ReplayedProbes.Read(run).AreThere;

    /// <summary>Replays one search on every model and context of a run.</summary>
    /// <param name="run">Folder of a finished run.</param>
    /// <param name="search">As the key <c>search</c> of a config says it.</param>
    /// <exception cref="ConfigException">The run is not finished, or lacks what the search needs.</exception>
    public static IReadOnlyList<SearchReplay> Of(string run, string search)
    {
        var history = RunHistory.Read(run);
        var options = SearchReader.Parse(search, history.Seed);
        if (history.Missing is [var missing, ..])
            throw new ConfigException($"{run}: {missing} has no result; allowed: a finished run");
        if (history.Results.FirstOrDefault(result => result.Status == TrialStatus.Dropped) is { } dropped)
            throw new ConfigException($"{run}: {dropped.Setting} of {dropped.Model} was dropped by a search; allowed: a run of everything");
        if (history.Results.FirstOrDefault(result =>
                result.Status == TrialStatus.Ok && history.SamplesOf(result).Count < result.Samples) is { } cut)
            throw new ConfigException(
                $"{run}: samples/ lacks samples of {cut.Setting} of {cut.Model}; allowed: a run whose samples are all there");
        if (history.Results.All(result => result.Score is null)) throw history.WithoutScores();
        var probes = ReplayedProbes.Read(run);
        return
        [
            .. history.Results.Where(result => result is { Status: TrialStatus.Ok, Score: not null })
                .GroupBy(result => (result.FrontierDigest, result.Context))
                .Select(group => Of(history, [.. group], probes, options)),
        ];
    }

    private static SearchReplay Of(
        RunHistory history, IReadOnlyList<TrialResult> trials, ReplayedProbes probes, SearchOptions options)
    {
        var model = ContextText.Of(trials[0].Model, trials[0].Context);
        var replayed = trials.Select(trial => new ReplayedTrial(
            trial, history.SamplesOf(trial), trial.Setting == history.Baseline, probes.Of(trial, options.Probes), options.Seed)).ToList();
        if (options.Probes > 0 && trials.FirstOrDefault(trial => probes.Of(trial, options.Probes) is null) is { } unprobed)
            throw new ConfigException(
                $"{history.Place}: {unprobed.Setting} of {model} was probed on fewer prompts than {options.Kind} needs"
                + $"; allowed: a run with search: {{kind: exhaustive, probes: {options.Probes}}}, also a resumed one");
        var all = Points(trials);
        double[] reference =
            [ModelFrontier.ReferenceBytesOf(trials.Max(trial => trial.Peaks.Inference.Total)), ModelFrontier.ReferenceScore];
        double Volume(List<double[]> points) => points.Count == 0 ? 0 : Hypervolume.Compute(points, reference, Maximise);
        List<double[]> Found() => Points([.. replayed.Where(trial => trial.IsWhole).Select(trial => trial.Trial)]);
        var (search, whole, seconds) = (options.Create(), Volume(all), replayed.Sum(trial => trial.WholeSeconds));
        var (probed, toNearlyAll) = (0.0, (double?)null);
        while (search.Next([.. replayed.Select(trial => trial.Point())]).Wishes is { Count: > 0 } wishes)
        {
            foreach (var wish in wishes)
            {
                var before = replayed[wish.Point].SeenSeconds;
                replayed[wish.Point].Show(wish);
                if (wish is ProbeWish) probed += replayed[wish.Point].SeenSeconds - before;
                if (wish is WholeWish && toNearlyAll is null && Volume(Found()) >= NearlyAll * whole)
                    toNearlyAll = replayed.Sum(trial => trial.SeenSeconds) / seconds;
            }
        }
        var found = Found();
        var frontier = all.Zip(ParetoFrontier.NonDominated(all, Maximise)).Where(pair => pair.Second).Select(pair => pair.First).ToList();
        return new(model, options.Text)
        {
            Settings = trials.Count,
            Whole = found.Count,
            CostShare = replayed.Sum(trial => trial.SeenSeconds) / seconds,
            ProbeShare = probed / seconds,
            PromptShare = (double)replayed.Sum(trial => trial.SeenPrompts) / replayed.Sum(trial => trial.WholePrompts),
            HypervolumeShare = Share(Volume(found), whole),
            CostToNearlyAll = toNearlyAll,
            ChanceShare = Share(
                Chance(all, trials.ToList().FindIndex(trial => trial.Setting == history.Baseline), found.Count, reference), whole),
            FrontierPoints = frontier.Count,
            FrontierFound = frontier.Count(point => found.Exists(other => other.SequenceEqual(point))),
            LargestLoss = frontier.Max(point => point[1] - found.Where(other => other[0] <= point[0]).Select(other => other[1])
                .DefaultIfEmpty(ModelFrontier.ReferenceScore).Max()),
        };
    }

    // Of nothing, where every score is 0, all is found.
    private static double Share(double part, double whole) => whole == 0 ? 1 : part / whole;

    private static List<double[]> Points(IReadOnlyList<TrialResult> trials) =>
        [.. trials.Select(trial => new double[] { trial.Peaks.Inference.Total, trial.Score!.Value })];

    private static double Chance(List<double[]> points, int baseline, int count, double[] reference)
    {
        var random = new SplitMix64(SplitMix64.Hash("chance"));
        var sum = 0.0;
        for (var draw = 0; draw < ChanceDraws; draw++)
        {
            var left = Enumerable.Range(0, points.Count).Where(index => index != baseline).ToList();
            var chosen = new List<double[]>();
            if (baseline >= 0) chosen.Add(points[baseline]);
            while (chosen.Count < count)
            {
                var place = random.Below(left.Count);
                chosen.Add(points[left[place]]);
                left.RemoveAt(place);
            }
            sum += Hypervolume.Compute(chosen, reference, Maximise);
        }
        return sum / ChanceDraws;
    }
}
