using KvPareto.Engine.Model;
using KvPareto.Engine.Seam;

namespace KvPareto.Engine.Generation;

/// <summary>The logits after the last token of a step, one row of them.</summary>
/// <param name="transformer">The model.</param>
internal sealed class LastLogits(Transformer transformer) : IDisposable
{
    private readonly Tensor _logits = transformer.Backend.Alloc(DType.F32, 1, transformer.Config.VocabularySize);
    private readonly float[] _row = new float[transformer.Config.VocabularySize]; // [V]

    /// <summary>The logits [V] of the last of some hidden states [T, H], which are changed; valid until the next call.</summary>
    public ReadOnlySpan<float> Read(Tensor hidden)
    {
        transformer.Head.Apply(hidden.Rows(hidden.RowCount - 1, 1), _logits);
        transformer.Backend.Read(_logits, _row);
        return _row;
    }

    /// <inheritdoc/>
    public void Dispose() => _logits.Buffer.Dispose();
}
