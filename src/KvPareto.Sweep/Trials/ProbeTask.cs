using KvPareto.Sweep.Search;
using KvPareto.Tasks;

namespace KvPareto.Sweep.Trials;

/// <summary>
/// Some prompts of a sweep's tasks, compared with the model's own unquantized run instead of being answered: reading a prompt takes less
/// than answering it, and its divergence tells more than a right or wrong answer. Its score is top-1 agreement.
/// </summary>
internal sealed class ProbeTask : ComparisonTask
{
    /// <summary>Its name in journals.</summary>
    public const string TaskName = "probe";

    private const string Version = "probe/1";

    // Of each prompt: they see all of the cache, and the head's products over a whole prompt would cost as much as answering it.
    private const int ComparedTokens = 256;

    private readonly int _prompts;
    private readonly int _seed;

    /// <summary>The probe of a sweep.</summary>
    /// <param name="tasks">Its tasks at one context.</param>
    /// <param name="prompts">Prompts of all tasks together.</param>
    /// <param name="seed">Seed of the order in which prompts are taken.</param>
    public ProbeTask(IEnumerable<SweepTask> tasks, int prompts, int seed)
    {
        (_prompts, _seed) = (prompts, seed);
        using var digest = new TaskDigest();
        digest.Add(Version).Add(ComparedTokens).Add(prompts).Add(seed);
        foreach (var task in tasks) digest.Add(task.Name).Add(task.Digest);
        Digest = digest.Finish();
    }

    /// <inheritdoc/>
    public override string Name => TaskName;

    /// <inheritdoc/>
    public override string Digest { get; }

    /// <summary>The first prompts of a model's tasks in turn, in the order in which a search takes them.</summary>
    public IReadOnlyList<TaskSample> Of(IReadOnlyList<PreparedTask> tasks)
    {
        var orders = tasks.Select(task => SampleOrder.Of(task.Task.Name, task.Samples.Count, _seed)).ToList();
        var turns =
            from turn in Enumerable.Range(0, orders.Max(order => order.Length))
            from task in Enumerable.Range(0, tasks.Count)
            where turn < orders[task].Length
            let sample = tasks[task].Samples[orders[task][turn]]
            select new TaskSample
            {
                Id = $"{tasks[task].Task.Name}/{sample.Id}",
                Kind = SampleKind.Compare,
                PromptIds = sample.PromptIds,
                ComparedTokens = ComparedTokens,
                MaxNewTokens = 0,
                Answers = [],
            };
        return [.. turns.Take(_prompts)];
    }

    /// <inheritdoc/>
    public override IReadOnlyList<TaskSample> Prepare(PromptContext context) =>
        throw new NotSupportedException("a probe's prompts are those of other tasks");
}
