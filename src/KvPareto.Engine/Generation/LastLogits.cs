using System.Numerics.Tensors;
using KvPareto.Engine.Model;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Settings;
using Tensor = KvPareto.Engine.Seam.Tensor;

namespace KvPareto.Engine.Generation;

/// <summary>Logits of the last rows of a step.</summary>
/// <param name="transformer">The model.</param>
/// <param name="rows">Rows at the most.</param>
internal sealed class LastLogits(Transformer transformer, int rows) : IDisposable
{
    private readonly Tensor _logits = transformer.Backend.Alloc(DType.F32, rows, transformer.Config.VocabularySize);
    private readonly float[] _values = new float[rows * transformer.Config.VocabularySize]; // [rows, V]

    /// <summary>V.</summary>
    public int Width => _logits.ColumnCount;

    /// <summary>The logits [V] of the last of some hidden states [T, H], which are changed; valid until the next call.</summary>
    public ReadOnlySpan<float> Read(Tensor hidden) => Read(hidden, 1);

    /// <summary>The same of the last <paramref name="count"/>, [count, V].</summary>
    public ReadOnlySpan<float> Read(Tensor hidden, int count)
    {
        var logits = _logits.Rows(0, count);
        transformer.Head.Apply(hidden.Rows(hidden.RowCount - count, count), logits);
        var values = _values.AsSpan(0, count * Width);
        transformer.Backend.Read(logits, values);
        return values;
    }

    /// <summary>The id of the highest logit.</summary>
    /// <param name="logits">Logits [V].</param>
    /// <param name="setting">What they were made under, for messages.</param>
    /// <exception cref="NotFiniteNumberException">It is not a number.</exception>
    public static int Best(ReadOnlySpan<float> logits, InferenceSetting setting)
    {
        var best = TensorPrimitives.IndexOfMax(logits);
        return float.IsFinite(logits[best])
            ? best : throw new NotFiniteNumberException($"setting {setting.Name}: the logits are not finite");
    }

    /// <inheritdoc/>
    public void Dispose() => _logits.Buffer.Dispose();
}
