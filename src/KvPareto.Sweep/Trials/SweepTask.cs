using KvPareto.Tasks;

namespace KvPareto.Sweep.Trials;

/// <summary>A task under its name in the config.</summary>
internal sealed record SweepTask(string Name, EvaluationTask Task)
{
    /// <summary>Makes a config's task, which reads its data.</summary>
    /// <exception cref="Text.Input.ConfigException">An option is not allowed, or the data are damaged.</exception>
    public static SweepTask Of(TaskOptions options)
    {
        var task = options.Create();
        return new(options.Name ?? task.Name, task);
    }
}

/// <summary>A task's samples for one model.</summary>
internal sealed record PreparedTask(SweepTask Task, IReadOnlyList<TaskSample> Samples);
