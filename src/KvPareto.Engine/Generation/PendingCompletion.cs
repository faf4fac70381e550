using KvPareto.Engine.Cache;
using KvPareto.Engine.Model;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Settings;

namespace KvPareto.Engine.Generation;

/// <summary>One answer under way: its sequence, and its tokens so far.</summary>
internal sealed class PendingCompletion : IDisposable
{
    private readonly InferenceSetting _setting;
    private readonly int _promptTokens;
    private readonly int _maxNewTokens;
    private readonly Func<int, bool> _take;
    private readonly Sequence _sequence;
    private readonly LastLogits _logits;
    private readonly List<int> _ids = [];

    /// <summary>Takes the memory of reading the prompt.</summary>
    /// <param name="transformer">The model.</param>
    /// <param name="setting">Setting.</param>
    /// <param name="promptTokens">Tokens of the prompt.</param>
    /// <param name="maxNewTokens">Limit on new tokens, at least one.</param>
    /// <param name="take">Told of each new token; true where it is the last.</param>
    public PendingCompletion(Transformer transformer, InferenceSetting setting, int promptTokens, int maxNewTokens, Func<int, bool> take)
    {
        (_setting, _promptTokens, _maxNewTokens, _take) = (setting, promptTokens, maxNewTokens, take);
        _sequence = new(transformer, setting, Generator.CacheCapacity(promptTokens, maxNewTokens), setting.StepTokens(promptTokens));
        try
        {
            _logits = new(transformer, rows: 1);
        }
        catch
        {
            _sequence.Dispose();
            throw;
        }
    }

    /// <summary>Its last token is there.</summary>
    public bool IsEnded { get; private set; }

    /// <summary>Prompt in to first token out.</summary>
    public TimeSpan TimeToFirstToken { get; set; }

    /// <summary>The token that comes next into the cache.</summary>
    public int LastId => _ids[^1];

    /// <summary>Keys and values of the prompt and the tokens fed since.</summary>
    public KvCache Cache => _sequence.Cache;

    /// <summary>Bytes that it takes while steps have <paramref name="tokens"/> tokens, beside the weights.</summary>
    /// <param name="layout">Sizes of the backend's allocations.</param>
    /// <param name="config">Architecture.</param>
    /// <param name="setting">Setting.</param>
    /// <param name="capacity">Tokens of its cache.</param>
    /// <param name="tokens">T.</param>
    public static MemoryUse Predict(MemoryLayout layout, ModelConfig config, InferenceSetting setting, int capacity, int tokens) => new(
        Weights: 0,
        layout.CacheBytes(config.Geometry, setting.Cache, capacity),
        TransformerActivations.PredictByteCount(layout, config, tokens) + layout.TensorBytes(DType.F32, 1, config.VocabularySize),
        layout.WorkspaceBytes(new WorkspaceShape(tokens, capacity, config.Geometry, setting.Attention)));

    /// <summary>Reads the prompt; the first token is there.</summary>
    public void Prefill(ReadOnlySpan<int> prompt, PromptPrefixes? prefixes, CancellationToken cancellation) =>
        Take(_logits.Best(_sequence.Prefill(prompt, _setting.StepTokens(prompt.Length), prefixes, cancellation)));

    /// <summary>Gives back the memory of reading the prompt and takes that of single tokens.</summary>
    public void Resize() => _sequence.Resize(1);

    /// <summary>Gives back all but the cache: its tokens come from steps that others are in too.</summary>
    public void Release()
    {
        _sequence.ReleaseStep();
        _logits.Dispose();
    }

    /// <summary>The next token, by a step of its own.</summary>
    public void Next() => Take(_logits.Best(_sequence.Feed([LastId])));

    /// <summary>The next token, whose logit is the highest.</summary>
    /// <param name="id">Its id; −1 where a logit is not finite.</param>
    /// <exception cref="NotFiniteNumberException">It is not.</exception>
    public void Take(int id)
    {
        if (id < 0) throw Generator.NotFinite(_setting);
        _ids.Add(id);
        IsEnded = _take(id) | _ids.Count == _maxNewTokens;
    }

    /// <summary>What came of it.</summary>
    /// <param name="decodeTime">Time of all tokens after the first.</param>
    /// <param name="peaks">High-water marks.</param>
    public Completion Completed(TimeSpan decodeTime, MemoryPeaks peaks) =>
        new([.. _ids], _promptTokens, TimeToFirstToken, _ids.Count > 1 ? decodeTime : TimeSpan.Zero, peaks)
        { PrefixTokens = _sequence.PrefixTokens };

    /// <inheritdoc/>
    public void Dispose()
    {
        _logits.Dispose();
        _sequence.Dispose();
    }
}
