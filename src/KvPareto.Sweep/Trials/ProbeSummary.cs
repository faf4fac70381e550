using System.Globalization;
using KvPareto.Sweep.Journaling;
using KvPareto.Sweep.Results;
using KvPareto.Sweep.Search;

namespace KvPareto.Sweep.Trials;

/// <summary>How well divergences foretell scores, told from a run that has both.</summary>
internal static class ProbeSummary
{
    private const double Confidence = 0.8;
    private const int LeastSettings = 3;

    /// <summary>A line for each model and context of which enough settings were both probed and measured.</summary>
    /// <param name="folder">Run folder.</param>
    /// <param name="results">Its results, probes among them.</param>
    public static IEnumerable<string> Of(string folder, IReadOnlyList<TrialResult> results)
    {
        var scores = results.Where(result => result is { Probe: null, Repeat: null, Status: TrialStatus.Ok, Score: not null })
            .ToDictionary(result => (result.ModelDigest, result.Setting, result.Context));
        var probed = results.Where(result => result is { Probe: true, Status: TrialStatus.Ok })
            .Where(result => scores.ContainsKey((result.ModelDigest, result.Setting, result.Context)));
        foreach (var group in probed.GroupBy(result => (result.Model, result.FrontierDigest, result.Context)))
        {
            var pairs = group.Select(probe => (
                Divergence: SearchPlan.Divergence(SampleLog.Read(RunPaths.Samples(folder, probe.TrialId)).Records),
                scores[(probe.ModelDigest, probe.Setting, probe.Context)].Score!.Value)).ToList();
            if (pairs.Count >= LeastSettings) yield return Line(ContextText.Of(group.Key.Model, group.Key.Context), pairs);
        }
    }

    private static string Line(string model, List<(double Divergence, double Score)> pairs)
    {
        var correlation = RankCorrelation.Of(pairs.ConvertAll(pair => pair.Divergence), pairs.ConvertAll(pair => pair.Score));
        var others = new ScorePredictor(pairs).LeaveOneOut();
        var error = others.Average(other => Math.Abs(other.Score - other.Predicted.Mean));
        var halfWidth = NormalDistribution.HalfWidth(Confidence);
        var within = others.Count(other =>
            other.Predicted.Interval(halfWidth) is var (low, high) && low <= other.Score && other.Score <= high);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{model}: KL divergence and score of {pairs.Count} settings have rank correlation {correlation ?? 0:F2}; predicted from the "
            + $"others, a score is missed by {error:F1} points on average, and {within} lie in their {100 * Confidence:F0} % interval");
    }
}
