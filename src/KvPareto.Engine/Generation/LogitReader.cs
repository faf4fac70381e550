using KvPareto.Engine.Model;
using KvPareto.Engine.Seam;

namespace KvPareto.Engine.Generation;

/// <summary>
/// Reads the logits of a text block by block: all of them at once would be V/H times its states. What it holds counts to
/// <see cref="MemoryPhase.Measuring"/>, not to the peak of the run that made the states.
/// </summary>
public sealed class LogitReader : IDisposable
{
    /// <summary>Most rows of a block: enough for the product to run at full speed, few enough for a cache.</summary>
    public const int MaxRows = 64;

    private readonly Backend _backend;
    private readonly OutputHead _head;
    private readonly Tensor _hidden; // [MaxRows, H]
    private readonly Tensor _logits; // [MaxRows, V]
    private readonly float[] _values; // [MaxRows, V]

    /// <summary>A reader for states of models of one architecture.</summary>
    /// <param name="backend">Where <paramref name="head"/> lies.</param>
    /// <param name="config">Architecture.</param>
    /// <param name="head">Final norm and output projection; stays the caller's.</param>
    public LogitReader(Backend backend, ModelConfig config, OutputHead head)
    {
        (_backend, _head) = (backend, head);
        backend.Memory.Enter(MemoryPhase.Measuring);
        _values = new float[MaxRows * config.VocabularySize];
        _hidden = backend.Alloc(DType.F32, MaxRows, config.HiddenSize);
        try
        {
            _logits = backend.Alloc(DType.F32, MaxRows, config.VocabularySize);
        }
        catch
        {
            _hidden.Buffer.Dispose();
            throw;
        }
    }

    /// <summary>Vocabulary size V.</summary>
    public int Width => _logits.ColumnCount;

    /// <summary>The logits [count, V] after some tokens of a text; valid until the next call.</summary>
    /// <param name="states">The text.</param>
    /// <param name="first">First token.</param>
    /// <param name="count">1 to <see cref="MaxRows"/>.</param>
    public ReadOnlyMemory<float> Read(TextStates states, int first, int count)
    {
        var (hidden, logits) = (_hidden.Rows(0, count), _logits.Rows(0, count));
        _backend.Write(states.Rows(first, count), hidden);
        _head.Apply(hidden, logits);
        _backend.Read(logits, _values);
        return _values.AsMemory(0, count * Width);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _hidden.Buffer.Dispose();
        _logits.Buffer.Dispose();
    }
}
