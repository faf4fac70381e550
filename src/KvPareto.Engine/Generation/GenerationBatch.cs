using System.Diagnostics;
using KvPareto.Engine.Model;
using KvPareto.Engine.Seam;
using KvPareto.Text.Input;

namespace KvPareto.Engine.Generation;

/// <summary>
/// Several answers of a model under one setting that are under way together: each prompt is read by itself, then a step makes a token of
/// every answer, and reads the weights once for all. An answer's tokens are those that it gets alone (<see cref="Backend.MostSequences"/>),
/// and so are its peaks: what single tokens would take is allocated, counted and given back before it joins. Its time per token is its
/// share of the steps that it was in.
/// </summary>
/// <typeparam name="T">What an answer is known by.</typeparam>
public sealed class GenerationBatch<T> : IDisposable
{
    private readonly Transformer _transformer;
    private readonly Generator _generator;
    private readonly long? _room;
    private readonly MemoryUse _idle; // counted before the batch was
    private readonly JointSteps _steps;
    private readonly List<Answer> _underWay = [];
    private readonly List<(T Key, Completion Completion)> _ended = [];

    /// <summary>Takes the memory of steps of several answers.</summary>
    /// <param name="transformer">The model's weights.</param>
    /// <param name="generator">Its setting.</param>
    /// <param name="most">Answers under way together, 1 to <see cref="Backend.MostSequences"/>.</param>
    /// <param name="capacity">Most tokens of a cache.</param>
    /// <param name="room">Bytes that all may take; null where that is not known.</param>
    public GenerationBatch(Transformer transformer, Generator generator, int most, int capacity, long? room = null)
    {
        (_transformer, _generator, Most, _room) = (transformer, generator, most, room);
        _idle = Backend.Memory.Counted;
        Backend.Memory.Enter(MemoryPhase.Measuring); // a model that was just loaded is at the phase of loading
        _steps = new(transformer, generator.Setting.Attention, most, capacity);
    }

    /// <summary>Answers under way together, at the most.</summary>
    public int Most { get; }

    /// <summary>Answers under way.</summary>
    public int Count => _underWay.Count;

    private Backend Backend => _transformer.Backend;

    private ModelConfig Config => _transformer.Config;

    /// <summary>
    /// Reads a prompt; false where it has to wait for others to end, since there is no room beside them, or they turn their keys by other
    /// frequencies; where there are no others, it has no room beside the batch's own memory. Parameters are those of
    /// <see cref="Generator.Generate"/>.
    /// </summary>
    /// <exception cref="ConfigException">The prompt does not fit the model's vocabulary.</exception>
    /// <exception cref="NotFiniteNumberException">A logit is not a number.</exception>
    public bool TryAdd(
        T key, ReadOnlyMemory<int> prompt, int maxNewTokens, IReadOnlyCollection<int>? stopIds, StopTexts? stopTexts,
        CancellationToken cancellation)
    {
        if (Count == Most || !Fits(prompt.Length, maxNewTokens)) return false;
        var memory = Backend.Memory;
        Answer answer;
        try
        {
            answer = memory.Beside(memory.Counted - _idle, () => new Answer(
                key, _generator.Begin(prompt.Span, maxNewTokens, stopIds, stopTexts, onToken: null, cancellation), memory.Peaks));
        }
        catch (OutOfMemoryException)
        {
            return false;
        }
        if (answer.Pending.IsEnded) End(answer);
        else
        {
            answer.Pending.Release();
            _underWay.Add(answer);
        }
        return true;
    }

    /// <summary>Makes a token of every answer under way.</summary>
    /// <returns>The answers that have ended since the last call.</returns>
    /// <exception cref="NotFiniteNumberException">A logit is not a number.</exception>
    public IReadOnlyList<(T Key, Completion Completion)> Step()
    {
        if (Count > 0) TakeTokens();
        (T, Completion)[] ended = [.. _ended];
        _ended.Clear();
        return ended;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var answer in _underWay) answer.Pending.Dispose();
        _steps.Dispose();
    }

    private void TakeTokens()
    {
        var clock = Stopwatch.StartNew();
        int[] ids = [.. _underWay.Select(answer => answer.Pending.LastId)];
        _steps.Feed(ids, [.. _underWay.Select(answer => answer.Pending.Cache)]);
        for (var i = 0; i < ids.Length; i++) _underWay[i].Pending.Take(ids[i]);
        var share = clock.Elapsed / ids.Length;
        foreach (var answer in _underWay) answer.DecodeTime += share;
        foreach (var answer in _underWay.Where(answer => answer.Pending.IsEnded)) End(answer);
        _underWay.RemoveAll(answer => answer.Pending.IsEnded);
    }

    private void End(Answer answer)
    {
        _ended.Add((answer.Key, answer.Pending.Completed(answer.DecodeTime, answer.Peaks)));
        answer.Pending.Dispose();
    }

    private bool Fits(int promptTokens, int maxNewTokens)
    {
        var (capacity, setting, layout) = (Generator.CacheCapacity(promptTokens, maxNewTokens), _generator.Setting, Backend.Layout);
        var geometry = _transformer.Geometry(capacity);
        if (_underWay is [{ Pending.Cache: var first }, ..]
            && (geometry != first.Geometry || Config.Rope.For(capacity) != Config.Rope.For(first.Capacity))) return false;
        var own = PendingCompletion.Predict(layout, Config, setting, capacity, setting.StepTokens(promptTokens)).Total;
        return _room is not { } room || Backend.Memory.Live.Total + own <= room;
    }

    private sealed class Answer(T key, PendingCompletion pending, MemoryPeaks peaks)
    {
        public T Key => key;

        public PendingCompletion Pending => pending;

        public MemoryPeaks Peaks => peaks;

        public TimeSpan DecodeTime { get; set; }
    }
}
