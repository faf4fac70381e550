using KvPareto.Sweep.Config;
using KvPareto.Tasks;
using KvPareto.Text.Input;

namespace KvPareto.Sweep.Trials;

/// <summary>A task under its name in the config.</summary>
internal sealed record SweepTask(string Name, EvaluationTask Task)
{
    /// <summary>Tokens of the prompts that it was made to; null where it has lengths of its own.</summary>
    public int? Context { get; init; }

    /// <summary>Whether a search ranks settings by it, apart from the sweep's trials.</summary>
    public bool IsProbe { get; init; }

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
            throw new ConfigException(
                $"{config.Name}: contexts: all tasks have lengths of their own; allowed: beside a task that can be made to a length");
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
            throw new ConfigException($"{config.Name}: contexts: {ContextText.Of(context)}: {e.Message}", e);
        }
    }

    private static SweepTask Made(TaskOptions options)
    {
        var task = options.Create();
        return new(options.Name ?? task.Name, task);
    }
}

/// <summary>A task's samples for one model.</summary>
internal sealed record PreparedTask(SweepTask Task, IReadOnlyList<TaskSample> Samples);
