using KvPareto.Sweep.Results;

namespace KvPareto.Sweep.Frontier;

/// <summary>How far the baseline's figures move when it is measured again and nothing is changed.</summary>
/// <param name="Repeats">Measurements besides the first.</param>
/// <param name="Score">Largest distance of a repeat's score from the first one's, in points.</param>
/// <param name="Samples">Samples whose score differs in some repeat.</param>
/// <param name="PeakBytes">Largest distance of a repeat's inference peak.</param>
/// <param name="TtftPercent">Largest distance of a repeat's median time to the first token, in percent of the first one's.</param>
/// <param name="TpotPercent">The same of each later token.</param>
internal sealed record NoiseFloor(int Repeats, double Score, int Samples, long PeakBytes, double? TtftPercent, double? TpotPercent)
{
    /// <summary>The noise of a baseline; null where no repeat has a result.</summary>
    public static NoiseFloor? Of(TrialResult baseline, IEnumerable<TrialResult> repeats)
    {
        TrialResult[] again = [.. repeats.Where(repeat => repeat.Status == TrialStatus.Ok)];
        if (again.Length == 0) return null;
        double[][] scores = [.. again.Select(Scores)];
        return new(
            again.Length,
            again.Max(repeat => Math.Abs(repeat.Score!.Value - baseline.Score!.Value)),
            Scores(baseline).Where((score, sample) => scores.Any(repeat => repeat[sample] != score)).Count(),
            again.Max(repeat => Math.Abs(repeat.Peaks.Inference.Total - baseline.Peaks.Inference.Total)),
            Percent(baseline.TtftMs, again.Select(repeat => repeat.TtftMs)),
            Percent(baseline.TpotMs, again.Select(repeat => repeat.TpotMs)));
    }

    private static double[] Scores(TrialResult trial) => [.. trial.Scores.SelectMany(task => task.PerSample)];

    private static double? Percent(double? first, IEnumerable<double?> others) =>
        first is > 0 ? others.OfType<double>().Select(other => 100 * Math.Abs(other / first.Value - 1)).Cast<double?>().Max() : null;
}
