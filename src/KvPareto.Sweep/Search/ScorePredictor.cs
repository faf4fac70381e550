using KvPareto.Sweep.Frontier;

namespace KvPareto.Sweep.Search;

/// <summary>
/// Predicts scores from divergences: the more a setting's distributions differ from the unquantized model's, the lower its score is on
/// average. The mean is a falling step function of the logarithm of the divergence (isotonic regression by pooling adjacent violators:
/// Barlow, Bartholomew, Bremner and Brunk, "Statistical Inference under Order Restrictions", 1972), linear between its steps; the spread
/// is that of the leave-one-out errors, nearer ones counting more.
/// </summary>
internal sealed class ScorePredictor
{
    private const double LeastDivergence = 1e-7; // nats: below it lies rounding
    private const double PriorDeviation = 5; // points, worth one error
    private const double Reach = 1; // of an error, in units of ln KL

    private readonly (double X, double Score)[] _points;
    private readonly List<(double X, double Score, int Count)> _steps;
    private readonly double[] _errors;

    /// <summary>A prediction from measured settings, at least one.</summary>
    /// <param name="measured">Divergence in nats and score of each.</param>
    public ScorePredictor(IEnumerable<(double Divergence, double Score)> measured)
    {
        _points =
        [
            .. measured.Select(pair => (X: At(pair.Divergence), pair.Score)).OrderBy(pair => pair.X).ThenByDescending(pair => pair.Score),
        ];
        _steps = Pooled(without: _points.Length);
        _errors = [.. _points.Select((point, index) => _points.Length == 1 ? 0 : point.Score - Mean(Pooled(index), point.X))];
    }

    /// <summary>The score that a setting of a divergence is likely to have.</summary>
    public ScorePrediction Predict(double divergence)
    {
        var x = At(divergence);
        return new(Mean(_steps, x), Spread(x, _errors.Length));
    }

    /// <summary>How far two divergences lie apart, in units of ln KL.</summary>
    public static double Distance(double one, double other) => Math.Abs(At(one) - At(other));

    /// <summary>What the others predict of each measured setting, in the order of their divergences, beside what was measured.</summary>
    public IReadOnlyList<(double Score, ScorePrediction Predicted)> LeaveOneOut() =>
        [.. _points.Select((point, index) => (point.Score, new ScorePrediction(point.Score - _errors[index], Spread(point.X, index))))];

    // Without the error of the one that is predicted.
    private double Spread(double x, int without)
    {
        var (squares, weight, all, count) = (0.0, 0.0, PriorDeviation * PriorDeviation, 1);
        for (var i = 0; i < _errors.Length; i++)
        {
            if (i == without) continue;
            var near = Math.Exp(-Math.Abs(x - _points[i].X) / Reach);
            (squares, weight) = (squares + near * _errors[i] * _errors[i], weight + near);
            (all, count) = (all + _errors[i] * _errors[i], count + 1);
        }
        return Math.Sqrt((squares + all / count) / (weight + 1));
    }

    private static double At(double divergence) => Math.Log(Math.Max(divergence, LeastDivergence));

    // Steps of falling height, each with the mean place and score of its points; points of one place are one step.
    private List<(double X, double Score, int Count)> Pooled(int without)
    {
        var steps = new List<(double X, double Score, int Count)>();
        for (var i = 0; i < _points.Length; i++)
        {
            if (i == without) continue;
            var step = (_points[i].X, _points[i].Score, Count: 1);
            while (steps.Count > 0 && (steps[^1].Score <= step.Score || steps[^1].X >= step.X))
            {
                var (before, count) = (steps[^1], steps[^1].Count + step.Count);
                step = (
                    (before.X * before.Count + step.X * step.Count) / count,
                    (before.Score * before.Count + step.Score * step.Count) / count, count);
                steps.RemoveAt(steps.Count - 1);
            }
            steps.Add(step);
        }
        return steps;
    }

    private static double Mean(List<(double X, double Score, int Count)> steps, double x)
    {
        var after = steps.FindIndex(step => step.X >= x);
        if (after <= 0) return after == 0 ? steps[0].Score : steps[^1].Score;
        var (left, right) = (steps[after - 1], steps[after]);
        return Math.Clamp(left.Score + (x - left.X) / (right.X - left.X) * (right.Score - left.Score), 0, ModelFrontier.BestScore);
    }
}

/// <summary>A score that is not known yet: normal, within 0 to 100.</summary>
/// <param name="Mean">Mean, in points.</param>
/// <param name="Deviation">Standard deviation.</param>
internal readonly record struct ScorePrediction(double Mean, double Deviation)
{
    /// <summary>The same, put together with what was found otherwise: each counts by its precision.</summary>
    /// <param name="score">What was found.</param>
    /// <param name="deviation">Standard deviation of it; 0 where it is certain.</param>
    public ScorePrediction With(double score, double deviation)
    {
        if (deviation == 0) return new(score, 0);
        var (own, other) = (1 / (Deviation * Deviation), 1 / (deviation * deviation));
        return new((Mean * own + score * other) / (own + other), Math.Sqrt(1 / (own + other)));
    }

    /// <summary>The interval around its mean, two-sided.</summary>
    /// <param name="halfWidth">Standard deviations to either side: <see cref="NormalDistribution.HalfWidth"/> of a confidence.</param>
    public (double Low, double High) Interval(double halfWidth)
    {
        var half = Deviation > 0 ? Deviation * halfWidth : 0;
        return (Math.Max(0, Mean - half), Math.Min(ModelFrontier.BestScore, Mean + half));
    }
}
