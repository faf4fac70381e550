using System.Diagnostics;
using System.Numerics.Tensors;
using KvPareto.Engine.Model;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Settings;
using KvPareto.Text.Input;

namespace KvPareto.Engine.Generation;

/// <summary>Runs a model under one setting, greedily. Weights are the model's; cache, chunk and attention kernel the setting's.</summary>
/// <param name="transformer">Its weights at the setting's precision.</param>
/// <param name="setting">Setting.</param>
/// <param name="prefixes">What prompts have in common, under this setting; null where each is read whole.</param>
public sealed class Generator(Transformer transformer, InferenceSetting setting, PromptPrefixes? prefixes = null)
{
    /// <summary>The setting.</summary>
    public InferenceSetting Setting { get; } = setting;

    private Backend Backend => transformer.Backend;

    private ModelConfig Config => transformer.Config;

    /// <summary>Tokens that the cache of a generation has room for: the last new token is never fed back.</summary>
    public static int CacheCapacity(int promptTokens, int maxNewTokens) => promptTokens + maxNewTokens - 1;

    /// <summary>Greedy continuation of a prompt.</summary>
    /// <param name="prompt">Token ids, at least one.</param>
    /// <param name="maxNewTokens">Limit on new tokens, at least one.</param>
    /// <param name="stopIds">Ids that end it besides the model's own end tokens.</param>
    /// <param name="stopTexts">Texts that end it; for this generation alone.</param>
    /// <param name="onToken">Called with each new id as it comes.</param>
    /// <param name="cancellation">Checked between steps.</param>
    /// <exception cref="ConfigException">The setting does not fit the model, or the prompt its vocabulary.</exception>
    /// <exception cref="NotFiniteNumberException">A logit is not a number.</exception>
    public Completion Generate(
        ReadOnlySpan<int> prompt,
        int maxNewTokens,
        IReadOnlyCollection<int>? stopIds = null,
        StopTexts? stopTexts = null,
        Action<int>? onToken = null,
        CancellationToken cancellation = default)
    {
        using var pending = Begin(prompt, maxNewTokens, stopIds, stopTexts, onToken, cancellation);
        var clock = Stopwatch.StartNew();
        while (!pending.IsEnded)
        {
            cancellation.ThrowIfCancellationRequested();
            pending.Next();
        }
        return pending.Completed(clock.Elapsed, Backend.Memory.Peaks);
    }

    /// <summary>The same up to the first token, and with the memory that the others take.</summary>
    internal PendingCompletion Begin(
        ReadOnlySpan<int> prompt,
        int maxNewTokens,
        IReadOnlyCollection<int>? stopIds,
        StopTexts? stopTexts,
        Action<int>? onToken,
        CancellationToken cancellation)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxNewTokens);
        CheckIds("prompt", prompt);
        var (clock, memory) = Start(prompt.Length, CacheCapacity(prompt.Length, maxNewTokens));
        var pending = new PendingCompletion(transformer, Setting, prompt.Length, maxNewTokens, Take);
        try
        {
            pending.Prefill(prompt, prefixes, cancellation);
            pending.TimeToFirstToken = clock.Elapsed;
            if (pending.IsEnded) return pending;
            pending.Resize();
            memory.Enter(MemoryPhase.Decode);
            return pending;
        }
        catch
        {
            pending.Dispose();
            throw;
        }

        bool Take(int id)
        {
            onToken?.Invoke(id);
            return Config.EosIds.Contains(id) || stopIds?.Contains(id) == true || stopTexts?.Push(id) == true;
        }
    }

    /// <summary>
    /// How likely continuations of a prompt are. The prompt is fed as by <see cref="Generate"/>, and so are a continuation's tokens but
    /// its last, one by one: all are read from their packed form. Continuations that differ in their last token alone share a run.
    /// </summary>
    /// <param name="prompt">Token ids, at least one.</param>
    /// <param name="continuations">Token ids of each, at least one.</param>
    /// <param name="cancellation">Checked between steps.</param>
    /// <exception cref="ConfigException">The setting does not fit the model, or an id its vocabulary.</exception>
    /// <exception cref="NotFiniteNumberException">A logit is not a number.</exception>
    public ContinuationLikelihoods LogLikelihoods(
        ReadOnlySpan<int> prompt, IReadOnlyList<int[]> continuations, CancellationToken cancellation = default)
    {
        CheckIds("prompt", prompt);
        foreach (var continuation in continuations) CheckIds("continuation", continuation);
        var (clock, memory) = Start(
            prompt.Length, prompt.Length + continuations.Select(continuation => continuation.Length - 1).DefaultIfEmpty().Max());
        var values = new double[continuations.Count];
        int? taken = null;
        foreach (var run in Enumerable.Range(0, values.Length).GroupBy(i => string.Join(' ', continuations[i].SkipLast(1))))
        {
            var prefix = Rate(prompt, continuations, [.. run], values, cancellation);
            taken ??= prefix;
        }
        return new(values, clock.Elapsed, memory.Peaks) { PrefixTokens = taken ?? 0 };
    }

    /// <summary>
    /// Feeds a text in the setting's chunks and keeps the hidden state after every token; <see cref="LogitReader"/> turns them into
    /// logits. As always, each token is read from its packed form, its own included, so a likelihood shows what the setting does to it.
    /// </summary>
    /// <param name="ids">Token ids, at least one.</param>
    /// <param name="cancellation">Checked between steps.</param>
    /// <exception cref="ConfigException">The setting does not fit the model, or the text its vocabulary.</exception>
    public TextStates Feed(ReadOnlySpan<int> ids, CancellationToken cancellation = default)
    {
        CheckIds("prompt", ids);
        var (clock, memory) = Start(ids.Length, ids.Length);
        var (chunk, width) = (Setting.StepTokens(ids.Length), Config.HiddenSize);
        using var sequence = new Sequence(transformer, Setting, ids.Length, chunk);
        var states = new float[(long)ids.Length * width];
        var passes = sequence.Passes(chunk);
        for (int from = 0, end; from < ids.Length; from = end)
        {
            cancellation.ThrowIfCancellationRequested();
            end = Math.Min(passes.After(from), ids.Length);
            var hidden = sequence.Feed(ids[from..end], chunk);
            Backend.Read(hidden, states.AsSpan(from * width));
        }
        return new(states, width, sequence.Cache.ByteCount, clock.Elapsed, memory.Peaks);
    }

    private (Stopwatch Clock, MemoryLedger Memory) Start(int promptTokens, int capacity)
    {
        var (clock, memory) = (Stopwatch.StartNew(), Backend.Memory);
        prefixes?.MakeRoom(PendingCompletion.Predict(Backend.Layout, Config, Setting, capacity, Setting.StepTokens(promptTokens)).Total);
        memory.Restart(MemoryPhase.Prefill);
        memory.Restart(MemoryPhase.Decode);
        memory.Enter(MemoryPhase.Prefill);
        return (clock, memory);
    }

    // Continuations that have all tokens but the last in common; how much of the prompt was taken over.
    private int Rate(
        ReadOnlySpan<int> prompt, IReadOnlyList<int[]> continuations, int[] run, double[] values, CancellationToken cancellation)
    {
        Backend.Memory.Enter(MemoryPhase.Prefill);
        var common = continuations[run[0]].AsSpan()[..^1];
        var chunk = Setting.StepTokens(prompt.Length);
        using var sequence = new Sequence(transformer, Setting, prompt.Length + common.Length, chunk);
        using var logits = new LastLogits(transformer, rows: 1);
        var row = logits.Read(sequence.Prefill(prompt, chunk, prefixes, cancellation));
        var before = 0.0;
        if (common.Length > 0)
        {
            sequence.Resize(1);
            Backend.Memory.Enter(MemoryPhase.Decode);
        }
        foreach (var id in common)
        {
            cancellation.ThrowIfCancellationRequested();
            before += row[id] - LogSum(row);
            row = logits.Read(sequence.Feed([id]));
        }
        var sum = LogSum(row);
        foreach (var i in run) values[i] = before + row[continuations[i][^1]] - sum;
        return sequence.PrefixTokens;
    }

    /// <summary>What to throw where a logit is not finite.</summary>
    public static NotFiniteNumberException NotFinite(InferenceSetting setting) =>
        new($"setting {setting.Name}: the logits are not finite");

    // ln Σ eˣ, in double precision.
    private double LogSum(ReadOnlySpan<float> logits)
    {
        double max = TensorPrimitives.Max(logits);
        if (!double.IsFinite(max)) throw NotFinite(Setting);
        var sum = 0.0;
        foreach (var logit in logits) sum += Math.Exp(logit - max);
        return max + Math.Log(sum);
    }

    private void CheckIds(string what, ReadOnlySpan<int> ids)
    {
        if (ids.IsEmpty) throw new ConfigException($"the {what} is empty; allowed: at least one token");
        foreach (var id in ids)
        {
            if ((uint)id >= (uint)Config.VocabularySize)
                throw new ConfigException($"token id {id} in the {what}; the model's vocabulary has ids 0 to {Config.VocabularySize - 1}");
        }
    }
}
