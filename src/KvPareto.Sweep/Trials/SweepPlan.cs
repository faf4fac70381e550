using KvPareto.Engine.Settings;
using KvPareto.Sweep.Config;
using KvPareto.Sweep.Results;
using KvPareto.Sweep.Search;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Trials;

/// <summary>The trials of a sweep: every setting on every model.</summary>
internal sealed class SweepPlan
{
    /// <summary>Name of the sweep.</summary>
    public required string Name { get; init; }

    /// <summary>Each model with its prompts at each context.</summary>
    public required IReadOnlyList<PreparedModel> Models { get; init; }

    /// <summary>The tasks at all contexts, the search's probes last.</summary>
    public required IReadOnlyList<SweepTask> Tasks { get; init; }

    /// <summary>In the config's order, that of reports: model by model, context by context, setting by setting.</summary>
    public required IReadOnlyList<TrialSpec> Specs { get; init; }

    /// <summary>Trials that share a model and its weights follow each other, so that these are loaded once.</summary>
    public required IReadOnlyList<PlannedTrial> RunOrder { get; init; }

    /// <summary>How it is chosen what is measured.</summary>
    public required SearchOptions Search { get; init; }

    /// <summary>Generations of each sample.</summary>
    public required int Repeats { get; init; }

    /// <summary>What samples share.</summary>
    public required WorkSharing Sharing { get; init; }

    /// <summary>Samples over all trials.</summary>
    public long SampleCount => RunOrder.Sum(trial => (long)trial.Model.SampleCount);

    /// <summary>Most samples of each task; null where all are measured.</summary>
    public int? Limit => Tasks.Select(task => task.Limit).FirstOrDefault(limit => limit is not null);

    /// <summary>Makes the plan, with all checks that need no running.</summary>
    /// <param name="config">Config.</param>
    /// <param name="tasks">Its tasks.</param>
    /// <param name="engine">Engine.</param>
    /// <param name="limit">Most samples of each task; null for all.</param>
    /// <exception cref="ConfigException">A model, a task or a setting cannot be used.</exception>
    public static SweepPlan Make(SweepConfig config, IReadOnlyList<SweepTask> tasks, ITrialEngine engine, int? limit = null)
    {
        tasks = [.. tasks.Select(task => task with { Limit = limit })];
        if (tasks.GroupBy(task => (task.Name, task.Context)).FirstOrDefault(group => group.Count() > 1) is { } named)
            throw config.Error("tasks", $"has two named '{named.Key.Name}'", "a 'name' of its own for each");
        if (SweepTask.NamedAsPart([.. tasks.Select(task => task.Name)]) is { } part)
            throw config.Error("tasks", $"has '{part}', as a part of another is called", SweepTask.NameWords);
        var models = Prepare(config, tasks, engine);
        // A task that no limit cuts is the task itself.
        var cut = models.SelectMany(model => model.Tasks).Where(task => task.IsCut).Select(task => task.Task).ToHashSet();
        tasks = [.. tasks.Select(Uncut)];
        models = [.. models.Select(model => model with { Tasks = [.. model.Tasks.Select(task => task with { Task = Uncut(task.Task) })] })];
        Check(config, tasks, models);
        var probes = Probes(config, tasks);
        var trials = Trials(config, [.. models, .. models.SelectMany(model => Probing(model, probes))], engine);
        return new()
        {
            Name = config.Name,
            Models = models,
            Tasks = [.. tasks, .. probes],
            Specs = [.. trials.Select(trial => trial.Spec)],
            RunOrder =
            [
                .. trials.GroupBy(trial => (trial.Spec.ModelDigest, trial.Spec.Setting.Weights)).SelectMany(group => group)
                    .Select((trial, index) => new PlannedTrial(index + 1, trial.Spec, trial.Model) { IsBaseline = trial.IsBaseline }),
            ],
            Search = config.Search,
            Repeats = config.Repeats,
            Sharing = new(Math.Min(config.BatchSize, engine.MostTogether), config.PrefixCaching && engine.KeepsPrefixes),
        };

        SweepTask Uncut(SweepTask task) => cut.Contains(task) ? task : task with { Limit = null };
    }

    // Each model with its prompts at each context.
    private static PreparedModel[] Prepare(SweepConfig config, IReadOnlyList<SweepTask> tasks, ITrialEngine engine)
    {
        var tasksOf = tasks.GroupBy(task => task.Context).ToList();
        (ModelEntry Entry, IReadOnlyList<InferenceSetting> Settings)[] entries =
            [.. config.Models.Select(model => (model, SearchSpace.Expand(config, model)))];
        return
        [
            .. from entry in entries
               from context in tasksOf
               from model in engine.Prepare(entry.Entry, entry.Settings, [.. context])
               select (model with { Context = context.Key }).Checked(),
        ];
    }

    private static void Check(SweepConfig config, IReadOnlyList<SweepTask> tasks, PreparedModel[] models)
    {
        if (models.GroupBy(model => (model.Digest, model.Context)).FirstOrDefault(group => group.Count() > 1) is { } same)
            throw config.Error(
                "models", $"has '{same.First().Name}' and '{same.Last().Name}', which are the same files", "each model once");

        if (config.Search.Chooses && !tasks.GroupBy(task => task.Context).All(context => context.Any(task => task.Task.IsScored)))
            throw config.Error("search", $"is {config.Search.Kind}, which has no score to choose by",
                $"beside a task that is scored, or {ExhaustiveOptions.Word}");
    }

    // A task of probes for each context.
    private static SweepTask[] Probes(SweepConfig config, IReadOnlyList<SweepTask> tasks) => config.Search.Probes == 0 ? [] :
    [
        .. tasks.GroupBy(task => task.Context).Select(context =>
            new SweepTask(ProbeTask.TaskName, new ProbeTask(context, config.Search.Probes, config.Search.Seed))
            { Context = context.Key, IsProbe = true }),
    ];

    private static IEnumerable<PreparedModel> Probing(PreparedModel model, SweepTask[] probes) =>
        from probe in probes
        where probe.Context == model.Context
        select model with { Tasks = [new(probe, ((ProbeTask)probe.Task).Of(model.Tasks))], IsProbe = true };

    // In the config's order.
    private static (PreparedModel Model, TrialSpec Spec, bool IsBaseline)[] Trials(
        SweepConfig config, PreparedModel[] models, ITrialEngine engine)
    {
        var template = TrialSpec.TemplateOf(config.Template.ToJson());
        return
        [
            .. from model in models
               from setting in model.Settings
               let isBaseline = setting == model.Settings[0] && setting.Weights.Form == config.Baseline.Weights.Form
               from repeat in Enumerable.Range(0, 1 + (!model.IsProbe && isBaseline ? config.BaselineRepeats : 0))
               let digests = model.Tasks.Select(task => task.Task.Digest).ToArray()
               select (model, new TrialSpec(
                   model.Entry.Name, model.Digest, setting, digests, config.Seed, engine.Backend, template, repeat > 0 ? repeat : null,
                   model.Context, model.IsProbe), isBaseline),
        ];
    }
}
