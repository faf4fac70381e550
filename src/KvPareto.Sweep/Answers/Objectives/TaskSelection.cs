using System.Globalization;
using KvPareto.Sweep.Journaling;
using KvPareto.Sweep.Reports.Pictures;
using KvPareto.Sweep.Results;
using KvPareto.Sweep.Runs;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Answers.Objectives;

/// <summary>What of a run's scores a frontier is made of: some tasks, another metric, tasks that count more than others.</summary>
/// <param name="Tasks">Names of the tasks; null for all.</param>
/// <param name="Metric">Name of a further score that samples have; null for the tasks' own.</param>
/// <param name="Weights">What tasks count, by name; those not named count 1.</param>
internal sealed record TaskSelection(IReadOnlyList<string>? Tasks, string? Metric, IReadOnlyDictionary<string, double> Weights)
{
    private const double MostWeight = 1e6;

    /// <summary>Reads the options of a command line.</summary>
    /// <exception cref="ConfigException">A weight is none.</exception>
    public static TaskSelection Parse(string? tasks, string? metric, string? weights)
    {
        var counts = new Dictionary<string, double>(StringComparer.Ordinal);
        foreach (var item in weights?.Split(',', StringSplitOptions.TrimEntries) ?? [])
        {
            var at = item.LastIndexOf('=');
            if (at <= 0 || !double.TryParse(
                item.AsSpan(at + 1), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var weight)
                || weight is not (> 0 and <= MostWeight) || !counts.TryAdd(item[..at], weight))
                throw new ConfigException($"--weights '{item}'; allowed: TASK=NUMBER joined by commas, numbers above 0, each task once");
        }
        return new(tasks?.Split(',', StringSplitOptions.TrimEntries), metric, counts);
    }

    /// <summary>
    /// The runs' results with the scores that are asked for, without trials that have scores, but none of these; those without any as
    /// they are.
    /// </summary>
    /// <exception cref="ConfigException">No trial has such a task or metric.</exception>
    public IReadOnlyList<TrialResult> Of(RunHistory runs)
    {
        var known = runs.Results.SelectMany(result => result.Scores).Select(score => score.Task).Distinct().ToList();
        foreach (var name in (Tasks ?? []).Concat(Weights.Keys))
        {
            if (!known.Contains(name))
                throw new ConfigException($"{runs.Place}: has no task '{name}'; allowed: {string.Join(", ", known)}");
        }
        var scored = runs.Results.Where(result => result.Status == TrialStatus.Ok && result.Scores.Count > 0).ToHashSet();
        TrialResult[] chosen =
            [.. runs.Results.Select(result => scored.Contains(result) ? Of(runs, result) : result).OfType<TrialResult>()];
        if (Metric is null || chosen.Any(result => result.Scores.Count > 0)) return chosen;
        var names = scored.SelectMany(runs.SamplesOf).SelectMany(sample => sample.Parts?.Keys ?? []).Distinct()
            .Order(StringComparer.Ordinal).ToList();
        throw new ConfigException($"--metric '{Metric}': no sample of {runs.Place} has it; allowed: "
            + $"{(names.Count == 0 ? "" : string.Join(", ", names) + ", or ")}no --metric for the tasks' own score");
    }

    /// <summary>What each task of a trial that <see cref="Of(RunHistory)"/> gave counts.</summary>
    public IReadOnlyList<double> WeightsOf(TrialResult result) =>
        [.. result.Scores.Select(score => Weights.GetValueOrDefault(score.Task, 1))];

    /// <summary>What the score of such trials is made of, in words.</summary>
    public string Words(IEnumerable<TrialResult> trials) => FrontierFigure.TaskWords(trials)
        + (Metric is null ? "" : $", metric {Metric}")
        + (Weights.Count == 0 ? "" : ", weights " + string.Join(
            ", ", Weights.Select(task => string.Create(CultureInfo.InvariantCulture, $"{task.Key}={task.Value}"))));

    private TrialResult? Of(RunHistory runs, TrialResult result)
    {
        var scores = result.Scores.Where(score => Tasks?.Contains(score.Task) ?? true).ToList();
        if (Metric is not null) scores = Measured(runs, result, scores);
        if (scores.Count == 0) return null;
        var weights = scores.ConvertAll(score => Weights.GetValueOrDefault(score.Task, 1));
        return result with
        {
            Scores = scores,
            Score = scores.Zip(weights, (score, weight) => weight * score.Mean).Sum() / weights.Sum(),
            Samples = scores.Sum(score => score.Samples),
        };
    }

    private List<TaskScore> Measured(RunHistory runs, TrialResult result, List<TaskScore> scores)
    {
        var samples = runs.SamplesOf(result);
        var measured = new List<TaskScore>();
        foreach (var score in scores)
        {
            SampleRecord[] own =
                [.. samples.Where(sample => sample.Task == score.Task).OrderBy(sample => sample.Sample, StringComparer.Ordinal)];
            double[] values =
                [.. own.Select(sample => sample.Parts?.TryGetValue(Metric!, out var part) == true ? part : (double?)null).OfType<double>()];
            if (values.Length == 0) continue;
            measured.Add(new(score.Task, $"{score.Digest} {Metric}", values.Length, 100 * values.Average(), values));
        }
        return measured;
    }
}
