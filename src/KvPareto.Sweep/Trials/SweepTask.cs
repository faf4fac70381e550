using System.Text.Json.Nodes;
using KvPareto.Sweep.Config;
using KvPareto.Sweep.Journaling;
using KvPareto.Sweep.Results;
using KvPareto.Tasks;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Trials;

/// <summary>A task under its name in the config.</summary>
internal sealed record SweepTask(string Name, EvaluationTask Task)
{
    /// <summary>Which names may stand beside each other.</summary>
    public const string NameWords = "names that begin with no other and '/'";

    /// <summary>Tokens of the prompts that it was made to; null where it has lengths of its own.</summary>
    public int? Context { get; init; }

    /// <summary>Whether a search ranks settings by it, apart from the sweep's trials.</summary>
    public bool IsProbe { get; init; }

    /// <summary>Most samples that are measured; null for all.</summary>
    public int? Limit { get; init; }

    /// <summary>SHA-256 (hex) over all that a trial's scores depend on: the task's own where all of it is measured.</summary>
    public string Digest => Limited(Task.Digest);

    /// <summary>The same as one model gets it.</summary>
    /// <param name="modelDigest">SHA-256 (hex) over the model's files.</param>
    public string DigestOf(string modelDigest) => Limited(Task.DigestOf(modelDigest));

    /// <summary>
    /// The samples that are measured of all there are, in their order: the first of each part, then the second of each, up to the limit. A
    /// higher limit has all of a lower one's.
    /// </summary>
    public PreparedTask Prepared(IReadOnlyList<TaskSample> all)
    {
        if (Limit is not { } limit || all.Count <= limit) return new(this, all);
        var (seen, places) = (new Dictionary<string, int>(), new int[all.Count]);
        for (var i = 0; i < all.Count; i++) seen[all[i].Part] = (places[i] = seen.GetValueOrDefault(all[i].Part)) + 1;
        var chosen = Enumerable.Range(0, all.Count).OrderBy(i => places[i]).Take(limit).Order();
        return new(this, [.. chosen.Select(i => all[i])]) { IsCut = true };
    }

    /// <summary>The first name that is another's with <c>/</c> and more, as results call a part of that one; null where none is.</summary>
    public static string? NamedAsPart(IReadOnlyCollection<string> names) =>
        names.FirstOrDefault(name => names.Any(other => name.StartsWith(other + "/", StringComparison.Ordinal)));

    /// <summary>A prediction as that of one of its samples, scored.</summary>
    /// <exception cref="InvalidOperationException">The score is outside 0 to 1: a defect of its metric.</exception>
    /// <exception cref="FormatException">The prediction is of another kind.</exception>
    public SampleRecord Scored(SampleRecord measured, TaskSample sample)
    {
        var record = measured with
        {
            Task = Name,
            Sample = sample.Id,
            References = sample.Answers.Count > 0 ? sample.Answers : null,
            Score = 0,
            Parts = null,
        };
        if (!Task.IsScored) return record;
        var score = Task.Score(sample, record.Prediction);
        if (score is not (>= 0 and <= 1))
            throw new InvalidOperationException($"task '{Name}' scored sample '{sample.Id}' outside 0 to 1");
        var parts = Task.Parts(sample, record.Prediction);
        return record with { Score = score, Parts = parts.Count > 0 ? parts : null };
    }

    private string Limited(string digest)
    {
        if (Limit is not { } limit) return digest;
        var identity = new JsonObject { ["limit"] = limit, ["task"] = digest };
        return TextHash.Of(CanonicalJson.Write(identity));
    }

    /// <summary>Makes a config's tasks, which read their data: each at every context, those that have lengths of their own once.</summary>
    /// <exception cref="ConfigException">An option is not allowed, a length does not go with it, or the data are damaged.</exception>
    public static IReadOnlyList<SweepTask> Of(SweepConfig config)
    {
        SweepTask[] made =
        [
            .. config.Contexts.SelectMany(context => config.Tasks.Select(options => options.AtLength(context)).OfType<TaskOptions>()
                .Select(options => At(config, context, options))),
        ];
        if (config.Contexts.Count > 0 && made.Length == 0)
            throw config.Error("contexts", "has no task: all have lengths of their own", "beside a task that can be made to a length");
        return [.. made, .. config.Tasks.Where(options => HasOwnLength(config, options)).Select(Made)];
    }

    private static bool HasOwnLength(SweepConfig config, TaskOptions options) =>
        config.Contexts.Count == 0 || options.AtLength(config.Contexts[0]) is null;

    private static SweepTask At(SweepConfig config, int context, TaskOptions options)
    {
        try
        {
            options.Validate();
            return Made(options) with { Context = context };
        }
        catch (ConfigException e)
        {
            throw new ConfigException($"{config.PlaceOf("contexts")}: {ContextText.Of(context)}: {e.Message}", e);
        }
    }

    private static SweepTask Made(TaskOptions options)
    {
        var task = options.Create();
        return new(options.Name ?? task.Name, task);
    }
}

/// <summary>A task's samples for one model.</summary>
internal sealed record PreparedTask(SweepTask Task, IReadOnlyList<TaskSample> Samples)
{
    /// <summary>The task has more samples than its limit.</summary>
    public bool IsCut { get; init; }
}
