using System.Globalization;
using System.Text.Json.Nodes;
using KvPareto.Sweep.Journaling;
using KvPareto.Sweep.Results;
using KvPareto.Tasks.Predictions;

namespace KvPareto.Sweep.Reports.Html;

/// <summary>
/// The samples that <c>report.html</c> shows: of each task the first ones, so many that the page stays small enough to open, with long
/// texts cut.
/// </summary>
internal static class SampleData
{
    /// <summary>Samples of a task at most.</summary>
    public const int MostOfATask = 200;

    /// <summary>Predictions over all trials and tasks, at most, as long as each task shows one.</summary>
    public const int MostPredictions = 20_000;

    /// <summary>Characters of a text at most.</summary>
    public const int MostCharacters = 600;

    private const int MostReferences = 20;

    /// <summary>The samples of some trials.</summary>
    /// <param name="trials">The trials, with a result.</param>
    /// <param name="samplesOf">A trial's samples.</param>
    public static JsonObject Of(IReadOnlyList<TrialResult> trials, Func<TrialResult, IEnumerable<SampleRecord>> samplesOf)
    {
        var tasks = trials.SelectMany(trial => trial.Scores.Select(score => NameOf(trial, score.Task))).Distinct().ToList();
        var most = (int)Math.Clamp(MostPredictions / Math.Max(1L, (long)trials.Count * tasks.Count), 1, MostOfATask);
        var shown = tasks.ToDictionary(task => task, _ => new Dictionary<string, Shown>(StringComparer.Ordinal), StringComparer.Ordinal);
        var totals = tasks.ToDictionary(task => task, _ => 0, StringComparer.Ordinal);
        var answers = new JsonObject();
        foreach (var trial in trials)
        {
            var own = tasks.ToDictionary(task => task, _ => new JsonObject());
            foreach (var task in samplesOf(trial).GroupBy(record => record.Task))
            {
                var name = NameOf(trial, task.Key);
                if (!shown.TryGetValue(name, out var samples)) continue;
                totals[name] = Math.Max(totals[name], task.Count());
                foreach (var record in task)
                {
                    if (!samples.ContainsKey(record.Sample) && samples.Count >= most) continue;
                    samples.TryAdd(record.Sample, new(samples.Count, record));
                    own[name][$"{samples[record.Sample].Place}"] = Answer(record);
                }
            }
            answers[KeyOf(trial)] = new JsonArray([.. tasks.Select(task => own[task])]);
        }
        return new()
        {
            ["mostOfATask"] = most,
            ["mostCharacters"] = MostCharacters,
            ["tasks"] = new JsonArray([.. tasks.Select(task => new JsonObject
            {
                ["name"] = task,
                ["total"] = totals[task],
                ["samples"] =
                    new JsonArray([.. shown[task].Values.OrderBy(sample => sample.Place).Select(sample => Sample(sample.Record))]),
            })]),
            ["answers"] = answers,
        };
    }

    /// <summary>What answers are found by: runs of several machines have the same trials.</summary>
    public static string KeyOf(TrialResult trial) => $"{trial.TrialId} {trial.Model}";

    /// <summary>A task of a trial; at another context it is another, though its samples have the same ids.</summary>
    public static string NameOf(TrialResult trial, string task) => trial.Context is { } context
        ? string.Create(CultureInfo.InvariantCulture, $"{task} at {context:N0}")
        : task;

    private static JsonObject Sample(SampleRecord record) => new()
    {
        ["id"] = record.Sample,
        ["tokens"] = record.PromptTokens,
        ["head"] = Cut(record.PromptHead),
        ["tail"] = Cut(record.PromptTail),
        ["references"] = record.References is { } references
            ? new JsonArray([.. references.Take(MostReferences).Select(text => JsonValue.Create(Cut(text)))]) : null,
    };

    private static JsonArray Answer(SampleRecord record)
    {
        var text = record.Prediction switch
        {
            TextPrediction answer => answer.Text,
            FidelityPrediction { Figures: var figures } => string.Create(
                CultureInfo.InvariantCulture,
                $"perplexity {figures.Ppl:G6}; KL divergence, nats: mean {figures.KlMean:G3}, median {figures.KlP50:G3}, "
                    + $"99 % {figures.KlP99:G3}, largest {figures.KlMax:G3}"),
            LikelihoodPrediction rated => "log likelihoods "
                + string.Join(", ", rated.LogLikelihoods.Select(nats => nats.ToString("F3", CultureInfo.InvariantCulture))),
            var other => throw new InvalidOperationException($"a prediction of type {other.GetType().Name}"),
        };
        var parts = new JsonObject();
        foreach (var (name, score) in record.Parts ?? new Dictionary<string, double>()) parts[name] = score;
        return new(Cut(text), record.Score, parts.Count > 0 ? parts : null);
    }

    private static string? Cut(string? text)
    {
        if (text is null || text.Length <= MostCharacters) return text;
        // Not between the halves of one character.
        var end = char.IsHighSurrogate(text[MostCharacters - 2]) ? MostCharacters - 2 : MostCharacters - 1;
        return text[..end] + "…";
    }

    private sealed record Shown(int Place, SampleRecord Record);
}
