using KvPareto.Engine.Settings;

namespace KvPareto.Sweep.Search;

/// <summary>What is known of a setting by now.</summary>
/// <param name="setting">The setting.</param>
/// <param name="tasks">Reads what was measured of it, task by task in the config's order.</param>
internal sealed class SearchPoint(InferenceSetting setting, Func<IReadOnlyList<SeenTask>> tasks)
{
    private readonly Lazy<IReadOnlyList<SeenTask>> _tasks = new(tasks);
    private double? _score;

    /// <summary>The setting.</summary>
    public InferenceSetting Setting { get; } = setting;

    /// <summary>Whether the others are compared with it; it is always measured whole.</summary>
    public bool IsBaseline { get; init; }

    /// <summary>How far its trial is.</summary>
    public PointState State { get; init; }

    /// <summary>
    /// Total bytes at the inference peak, as predicted from shapes alone: decisions go by it even where the peak was measured, since they
    /// would not be the same otherwise when they are made again.
    /// </summary>
    public required long PeakBytes { get; init; }

    /// <summary>Mean KL divergence from the unquantized model over the probe's prompts, in nats; null where it was not measured.</summary>
    public double? Divergence { get; init; }

    /// <summary>Why its probe failed; null where it did not.</summary>
    public string? ProbeFailure { get; init; }

    /// <summary>What was measured of it, task by task.</summary>
    public IReadOnlyList<SeenTask> Tasks => _tasks.Value;

    /// <summary>Mean over the scored tasks of the mean score, 0 to 100, of a setting that was measured whole.</summary>
    public double Score => _score ??= Tasks.Where(task => task.IsScored).Average(task => 100 * task.Scores.Average());
}

/// <summary>How far a setting's trial is.</summary>
internal enum PointState
{
    /// <summary>It has no result.</summary>
    Open,

    /// <summary>It was measured whole.</summary>
    Measured,

    /// <summary>It could not be measured.</summary>
    Failed,
}

/// <summary>What was measured of a task.</summary>
/// <param name="Samples">Samples that it has.</param>
/// <param name="IsScored">Whether they are scored.</param>
/// <param name="Scores">0 to 1: of the samples that were measured, in the order of <see cref="SampleOrder"/>, up to the first that was
/// not.</param>
internal sealed record SeenTask(int Samples, bool IsScored, IReadOnlyList<double> Scores);
