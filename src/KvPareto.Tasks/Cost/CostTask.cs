using System.Globalization;
using KvPareto.Engine;
using KvPareto.Tasks.Predictions;

namespace KvPareto.Tasks.Cost;

/// <summary>
/// Prompts of random token ids, which any model can read, one with random weights and no tokenizer too: their memory and time are
/// measured, and nothing is scored.
/// </summary>
internal sealed class CostTask : TokenTask
{
    private const string Version = "prompt/1";

    private readonly CostOptions _options;

    /// <summary>The prompts of some options.</summary>
    public CostTask(CostOptions options)
    {
        options.Validate();
        _options = options;
        using var digest = new TaskDigest();
        Digest = digest.Add(Version).Add(options.Length).Add(options.NewTokens).Add(options.Count).Add(options.Seed).Finish();
    }

    /// <inheritdoc/>
    public override string Name => "prompt";

    /// <inheritdoc/>
    public override string Digest { get; }

    /// <inheritdoc/>
    public override bool IsScored => false;

    /// <inheritdoc/>
    public override IReadOnlyList<TaskSample> Prepare(int vocabulary) => [.. Enumerable.Range(0, _options.Count).Select(index =>
    {
        var random = new SplitMix64(SplitMix64.Mix(((ulong)_options.Seed << 32) + (ulong)index));
        var ids = new int[_options.Length];
        for (var i = 0; i < ids.Length; i++) ids[i] = random.Below(vocabulary);
        return new TaskSample
        {
            Kind = SampleKind.Cost,
            Id = string.Create(CultureInfo.InvariantCulture, $"prompt-{index}"),
            PromptIds = ids,
            MaxNewTokens = _options.NewTokens,
            Answers = [],
        };
    })];

    /// <inheritdoc/>
    public override double Score(TaskSample sample, Prediction prediction) => throw new NotSupportedException("prompts have no score");
}
