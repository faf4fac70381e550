using KvPareto.Engine;
using KvPareto.Sweep.Results;
using KvPareto.Tasks;

namespace KvPareto.Sweep.Trials;

/// <summary>A trial to run.</summary>
/// <param name="Index">Its place in the order of running, from 1.</param>
/// <param name="Spec">What its scores depend on.</param>
/// <param name="Model">Its model and prompts.</param>
internal sealed record PlannedTrial(int Index, TrialSpec Spec, PreparedModel Model)
{
    /// <summary>Whether others are compared with it.</summary>
    public bool IsBaseline { get; init; }

    /// <summary>Its samples in the order of running. A repeat takes them in another one, each in one of its own: what one leaves behind
    /// for the next would show.</summary>
    public IReadOnlyList<(SweepTask Task, TaskSample Sample)> InOrder()
    {
        (SweepTask Task, TaskSample Sample)[] samples =
        [
            .. from task in Model.Tasks
               from sample in task.Samples
               select (task.Task, sample),
        ];
        if (Spec.Repeat is { } repeat) new SplitMix64(SplitMix64.Mix((ulong)repeat)).Shuffle(samples);
        return samples;
    }
}
