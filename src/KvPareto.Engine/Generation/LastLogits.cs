using KvPareto.Engine.Model;
using KvPareto.Engine.Seam;

namespace KvPareto.Engine.Generation;

/// <summary>Logits of the last rows of a step.</summary>
/// <param name="transformer">The model.</param>
/// <param name="rows">Rows at the most.</param>
internal sealed class LastLogits(Transformer transformer, int rows) : IDisposable
{
    private readonly Tensor _logits = transformer.Backend.Alloc(DType.F32, rows, transformer.Config.VocabularySize);
    private float[]? _row; // [V]

    /// <summary>The logits [V] of the last of some hidden states [T, H], which are changed; valid until the next call.</summary>
    public ReadOnlySpan<float> Read(Tensor hidden)
    {
        _row ??= new float[_logits.ColumnCount];
        transformer.Backend.Read(Of(hidden, 1), _row);
        return _row;
    }

    /// <summary>The ids of the highest logits of the last hidden states, which are changed; −1 where a logit is not finite.</summary>
    /// <param name="hidden">Hidden states [T, H].</param>
    /// <param name="ids">As many ids as rows are asked for.</param>
    public void Best(Tensor hidden, Span<int> ids) => transformer.Backend.Best(Of(hidden, ids.Length), ids);

    /// <summary>The same of the last one.</summary>
    public int Best(Tensor hidden)
    {
        var id = 0;
        Best(hidden, new Span<int>(ref id));
        return id;
    }

    /// <inheritdoc/>
    public void Dispose() => _logits.Buffer.Dispose();

    private Tensor Of(Tensor hidden, int count)
    {
        var logits = _logits.Rows(0, count);
        transformer.Head.Apply(hidden.Rows(hidden.RowCount - count, count), logits);
        return logits;
    }
}
