using System.Globalization;
using KvPareto.Engine;
using KvPareto.Sweep.Frontier;
using KvPareto.Sweep.Results;
using KvPareto.Sweep.Runs;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Answers.Checks;

/// <summary>
/// Whether settings got worse since an earlier run: scores below the earlier score's 95 % interval, peaks above the earlier one by more
/// than a tolerance, settings that failed or are not there any more.
/// </summary>
public sealed class FrontierCheck
{
    private FrontierCheck(IReadOnlyList<CheckedPoint> points, IReadOnlyList<string> messages) => (Points, Messages) = (points, messages);

    /// <summary>All settings of the earlier run, in its order.</summary>
    public IReadOnlyList<CheckedPoint> Points { get; }

    /// <summary>What a user should know of the comparison, one line each.</summary>
    public IReadOnlyList<string> Messages { get; }

    /// <summary>Compares runs with the results.csv or frontier.csv of an earlier one.</summary>
    /// <param name="runs">Finished runs, read as one.</param>
    /// <param name="earlier">The file. Of a results.csv all settings are compared, of a frontier.csv those of the frontier.</param>
    /// <param name="tolerancePercent">By how much a peak may grow, since scratch depends on the machine's threads.</param>
    /// <exception cref="ConfigException">The file is none of these, is damaged, or has scores of other tasks.</exception>
    public static FrontierCheck Of(RunHistory runs, string earlier, double tolerancePercent)
    {
        ArgumentNullException.ThrowIfNull(runs);
        var before = EarlierCsv.Read(earlier);
        var analysis = FrontierAnalysis.Of(runs.Results, runs.Baseline, runs.Seed, resamples: 1);
        var now = analysis.Models.SelectMany(MeasuredPoint.Of).ToLookup(point => Key(point.Trial));
        var failed = runs.Results.Where(trial => trial.Status != TrialStatus.Ok).ToLookup(Key);
        var (points, unmeasured) = (new List<CheckedPoint>(), 0);
        foreach (var point in before)
        {
            var found = now[(point.Model, point.Setting, point.Context)].ToList();
            if (found.Count > 1)
                throw new ConfigException($"{point.Setting} of {point.Model} was measured on {found.Count} sets of tasks or in several ways"
                    + "; allowed: runs of the same tasks");
            var failure = failed[(point.Model, point.Setting, point.Context)].FirstOrDefault();
            if (found is [var same])
            {
                CheckComparison.RequireSameTasks(earlier, point, same);
                points.Add(Compared(point, same, tolerancePercent));
            }
            // A search leaves out what is not on the frontier; what was on it is missed.
            else if (failure?.Status == TrialStatus.Dropped && !point.OnFrontier) unmeasured++;
            else points.Add(Plain(point, failure is null ? "has no result" : $"{failure.Status}: {failure.Failure}"));
        }
        string[] dropped = unmeasured == 0 ? [] :
            [$"not compared: {CountText.Of(unmeasured, "setting")} dropped by the search, not on the frontier of the earlier file"];
        return new(points, [.. dropped, .. CheckComparison.Differences(before, now, runs)]);
    }

    private static CheckedPoint Compared(EarlierPoint point, MeasuredPoint now, double tolerancePercent)
    {
        // What a CSV file says of a score is rounded to four digits.
        double? score = now.Trial.Score is { } measured ? Math.Round(measured, 4) : null;
        var (peak, worse) = (now.Trial.Peaks.Inference.Total, new List<string>());
        if (score < point.Low)
            worse.Add(string.Create(
                CultureInfo.InvariantCulture, $"score {point.Score:F2} → {score:F2}, below its interval from {point.Low:F2}"));
        var growth = 100.0 * (peak - point.PeakBytes) / Math.Max(1, point.PeakBytes);
        if (growth > tolerancePercent)
            worse.Add(string.Create(
                CultureInfo.InvariantCulture, $"peak {point.PeakBytes:N0} → {peak:N0} bytes, {growth:F1} % more"));
        return Plain(point) with
        {
            PeakBytes = peak,
            Score = score,
            Worse = worse,
            IsBetter = worse.Count == 0 && (score > point.Score || growth < -tolerancePercent),
        };
    }

    private static CheckedPoint Plain(EarlierPoint point, params IReadOnlyList<string> worse) =>
        new(point.Model, ContextText.Of(point.Setting, point.Context), point.PeakBytes, point.Score) { Worse = worse };

    private static (string Model, string Setting, int? Context) Key(TrialResult trial) => (trial.Model, trial.Setting, trial.Context);
}
