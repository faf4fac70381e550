using KvPareto.Sweep.Frontier;
using KvPareto.Sweep.Results;

namespace KvPareto.Sweep.Answers.Objectives;

/// <summary>The settings of one model that no other dominates under any two or more objectives, with the exact hypervolume.</summary>
internal sealed class ObjectiveFrontier
{
    private ObjectiveFrontier(
        string model, IReadOnlyList<Objective> objectives, IReadOnlyList<ObjectivePoint> points, IReadOnlyList<string> without)
    {
        (Model, Objectives, Points, Without) = (model, objectives, points, without);
        Reference = points.Count == 0 ? []
            : [.. objectives.Select((objective, i) => objective.Reference(points.Select(point => point.Values[i])))];
        HypervolumePercent = points.Count == 0 ? 0 : Percent();
    }

    /// <summary>Name of the model, unique for its weights and tasks.</summary>
    public string Model { get; }

    /// <summary>What is minimised or maximised.</summary>
    public IReadOnlyList<Objective> Objectives { get; }

    /// <summary>By the objectives in their order, the best first.</summary>
    public IReadOnlyList<ObjectivePoint> Points { get; }

    /// <summary>Settings that are left out, since an objective was not measured.</summary>
    public IReadOnlyList<string> Without { get; }

    /// <summary>[objectives]: the worst corner of the box.</summary>
    public IReadOnlyList<double> Reference { get; }

    /// <summary>Percent of the box between the best values that there can be and <see cref="Reference"/> that is dominated.</summary>
    public double HypervolumePercent { get; }

    /// <summary>The frontier of a model.</summary>
    /// <param name="model">Its measured settings; those of tasks without a score have no place where the score is an objective.</param>
    /// <param name="objectives">At least two.</param>
    /// <param name="seed">Seed of the bootstrap.</param>
    /// <param name="weights">What each task counts; null for as much as any other.</param>
    /// <param name="resamples">Resamples of the bootstrap.</param>
    public static ObjectiveFrontier Of(
        ModelFrontier model, IReadOnlyList<Objective> objectives, long seed, IReadOnlyList<double>? weights = null,
        int resamples = PairedBootstrap.DefaultResamples)
    {
        (TrialResult Trial, bool IsBaseline)[] trials =
        [
            .. model.Points.Select(point => (point.Trial, point.IsBaseline)),
            .. model.Unscored.Select(point => (point.Trial, point.IsBaseline)),
        ];
        // The draws depend on the tasks alone, so these are the resamples that the reports are made of.
        var bootstrap = model.Points.Count == 0 ? null
            : PairedBootstrap.Over([.. model.Points.Select(point => point.Trial.Scores)], seed, resamples, weights);
        var baseline = Array.FindIndex(trials, trial => trial.IsBaseline);
        var all = trials.Select((trial, i) => (Index: i, Values: objectives.Select(objective => objective.Value(trial.Trial)).ToArray()))
            .ToList();
        var whole = all.Where(point => point.Values.All(value => value is not null))
            .Select(point => (point.Index, Values: Array.ConvertAll(point.Values, value => value!.Value))).ToList();
        bool[] maximise = [.. objectives.Select(objective => objective.Maximise)];
        var kept = ParetoFrontier.NonDominated([.. whole.Select(point => point.Values)], maximise);
        var shares = DominatedShares(bootstrap, whole, objectives, maximise, resamples);
        var points = whole.Select((point, i) => new ObjectivePoint(trials[point.Index].Trial, point.Values)
        {
            IsBaseline = point.Index == baseline,
            Interval = bootstrap?.Interval(point.Index),
            Loss = baseline < 0 ? null : trials[baseline].Trial.Score - trials[point.Index].Trial.Score,
            LossInterval = baseline < 0 ? null : bootstrap?.LossInterval(baseline, point.Index),
            OnFrontier = kept[i],
            DominatedShare = shares[i],
        });
        return new(
            model.Model, objectives,
            [.. points.OrderBy(point => point.Values, Comparer<double[]>.Create((a, b) => Compare(a, b, maximise)))],
            [.. all.Where(point => point.Values.Contains(null)).Select(point => trials[point.Index].Trial.Setting)]);
    }

    private static int Compare(double[] a, double[] b, bool[] maximise)
    {
        for (var i = 0; i < a.Length; i++)
            if (a[i] != b[i]) return maximise[i] ? b[i].CompareTo(a[i]) : a[i].CompareTo(b[i]);
        return 0;
    }

    private static double[] DominatedShares(
        PairedBootstrap? bootstrap, List<(int Index, double[] Values)> points, IReadOnlyList<Objective> objectives, bool[] maximise,
            int resamples)
    {
        var score = objectives.ToList().FindIndex(objective => objective.Name == ObjectiveCatalog.Score);
        var counts = new int[points.Count];
        // Where nothing varies, one look says it all.
        var varies = bootstrap is not null && score >= 0;
        var looks = varies ? resamples : 1;
        var drawn = points.ConvertAll(point => (double[])point.Values.Clone());
        for (var look = 0; look < looks; look++)
        {
            for (var i = 0; varies && i < points.Count; i++) drawn[i][score] = bootstrap!.Scores(points[i].Index)[look];
            var kept = ParetoFrontier.NonDominated(drawn, maximise);
            for (var i = 0; i < kept.Length; i++)
                if (!kept[i]) counts[i]++;
        }
        return Array.ConvertAll(counts, count => (double)count / looks);
    }

    private double Percent()
    {
        bool[] maximise = [.. Objectives.Select(objective => objective.Maximise)];
        var volume = Hypervolume.Compute([.. Points.Select(point => point.Values)], [.. Reference], maximise);
        var box = Objectives.Zip(Reference, (objective, worst) => Math.Abs(objective.Ideal - worst)).Aggregate(1.0, (a, b) => a * b);
        return 100 * volume / box;
    }
}
