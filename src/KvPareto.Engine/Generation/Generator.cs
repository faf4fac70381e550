using System.Diagnostics;
using System.Numerics.Tensors;
using KvPareto.Engine.Model;

namespace KvPareto.Engine.Generation;

/// <summary>Runs a model under one setting, greedily. Weights are the model's; cache, chunk and attention kernel the setting's.</summary>
/// <param name="transformer">Its weights at the setting's precision.</param>
/// <param name="setting">Setting.</param>
public sealed class Generator(Transformer transformer, InferenceSetting setting)
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
    /// <exception cref="ArithmeticException">A logit is not a number.</exception>
    public Completion Generate(
        ReadOnlySpan<int> prompt,
        int maxNewTokens,
        IReadOnlyCollection<int>? stopIds = null,
        StopTexts? stopTexts = null,
        Action<int>? onToken = null,
        CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxNewTokens);
        CheckPrompt(prompt);
        var clock = Stopwatch.StartNew();
        var memory = Backend.Memory;
        memory.Restart(MemoryPhase.Prefill);
        memory.Restart(MemoryPhase.Decode);
        memory.Enter(MemoryPhase.Prefill);

        using var sequence = new Sequence(transformer, Setting, CacheCapacity(prompt.Length, maxNewTokens), Setting.StepTokens(prompt.Length));
        var logits = Backend.Alloc(DType.F32, 1, Config.VocabularySize);
        try
        {
            var row = new float[Config.VocabularySize];
            var ids = new List<int> { Prefill(sequence, prompt, logits, row, cancellation) };
            var timeToFirst = clock.Elapsed;
            onToken?.Invoke(ids[0]);

            var ended = Ends(ids[0]);
            if (ended || maxNewTokens == 1) return new(ids.ToArray(), prompt.Length, timeToFirst, TimeSpan.Zero, memory.Peaks);
            sequence.Resize(1);
            memory.Enter(MemoryPhase.Decode);
            clock.Restart();
            while (ids.Count < maxNewTokens && !ended)
            {
                cancellation.ThrowIfCancellationRequested();
                var next = Next(sequence.Feed([ids[^1]]), logits, row);
                ids.Add(next);
                onToken?.Invoke(next);
                ended = Ends(next);
            }
            return new(ids.ToArray(), prompt.Length, timeToFirst, clock.Elapsed, memory.Peaks);
        }
        finally
        {
            logits.Buffer.Dispose();
        }

        bool Ends(int id) => Config.EosIds.Contains(id) || stopIds?.Contains(id) == true || stopTexts?.Push(id) == true;
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
        CheckPrompt(ids);
        var clock = Stopwatch.StartNew();
        var memory = Backend.Memory;
        memory.Restart(MemoryPhase.Prefill);
        memory.Restart(MemoryPhase.Decode);
        memory.Enter(MemoryPhase.Prefill);
        var (chunk, width) = (Setting.StepTokens(ids.Length), Config.HiddenSize);
        using var sequence = new Sequence(transformer, Setting, ids.Length, chunk);
        var states = new float[(long)ids.Length * width];
        for (var from = 0; from < ids.Length; from += chunk)
        {
            cancellation.ThrowIfCancellationRequested();
            var hidden = sequence.Feed(ids.Slice(from, Math.Min(chunk, ids.Length - from)));
            Backend.Read(hidden, states.AsSpan(from * width));
        }
        return new(states, width, sequence.CacheBytes, clock.Elapsed, memory.Peaks);
    }

    private int Prefill(Sequence sequence, ReadOnlySpan<int> prompt, Tensor logits, float[] row, CancellationToken cancellation)
    {
        var chunk = Setting.StepTokens(prompt.Length);
        Tensor hidden = default;
        for (var from = 0; from < prompt.Length; from += chunk)
        {
            cancellation.ThrowIfCancellationRequested();
            hidden = sequence.Feed(prompt.Slice(from, Math.Min(chunk, prompt.Length - from)));
        }
        return Next(hidden, logits, row);
    }

    private int Next(Tensor hidden, Tensor logits, float[] row)
    {
        transformer.Head.Apply(hidden.Rows(hidden.RowCount - 1, 1), logits);
        Backend.Read(logits, row);
        var best = TensorPrimitives.IndexOfMax<float>(row);
        if (!float.IsFinite(row[best])) throw new ArithmeticException($"setting {Setting.Name}: the logits are not finite");
        return best;
    }

    private void CheckPrompt(ReadOnlySpan<int> ids)
    {
        if (ids.IsEmpty) throw new ConfigException("the prompt is empty; allowed: at least one token");
        foreach (var id in ids)
        {
            if ((uint)id >= (uint)Config.VocabularySize)
                throw new ConfigException($"token id {id} in the prompt; the model's vocabulary has ids 0 to {Config.VocabularySize - 1}");
        }
    }
}
