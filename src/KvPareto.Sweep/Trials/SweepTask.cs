using KvPareto.Tasks;

namespace KvPareto.Sweep.Trials;

/// <summary>A task under its name in the config.</summary>
internal sealed record SweepTask(string Name, EvaluationTask Task);

/// <summary>A task's samples for one model.</summary>
internal sealed record PreparedTask(SweepTask Task, IReadOnlyList<TaskSample> Samples);
