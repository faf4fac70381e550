using System.Buffers;
using System.Numerics.Tensors;

namespace KvPareto.Engine.Quantization;

/// <summary>
/// What the searches need of all calibration inputs x [T, K] of a linear layer: the mean of |x| per channel, and for each group the
/// second moments Σ x·xᵀ [g, g], from which the mean squared effect δᵀ·(Σ x·xᵀ)·δ of any change δ of a row's group follows without
/// going over the tokens again.
/// </summary>
internal sealed class InputStatistics
{
    private readonly double[] _magnitudes; // [K], sums
    private readonly float[] _moments; // [K/g, g, g]
    private readonly int _group;
    private long _tokens;

    /// <summary>Statistics of no token yet.</summary>
    public InputStatistics(int columns, int group)
    {
        _group = group;
        _magnitudes = new double[columns];
        _moments = new float[columns * group];
    }

    /// <summary>K.</summary>
    public int Columns => _magnitudes.Length;

    /// <summary>Mean of |x| per channel.</summary>
    public float[] Magnitudes => Array.ConvertAll(_magnitudes, sum => (float)(sum / Math.Max(_tokens, 1)));

    /// <summary>Σ x·xᵀ of group <paramref name="index"/>, [g, g].</summary>
    public ReadOnlySpan<float> Moments(int index) => _moments.AsSpan(index * _group * _group, _group * _group);

    /// <summary>Adds the rows of x, row after row.</summary>
    public void Add(float[] x, int rows)
    {
        var columns = Columns;
        for (var row = 0; row < rows; row++)
            for (var k = 0; k < columns; k++) _magnitudes[k] += Math.Abs(x[row * columns + k]);
        _tokens += rows;
        Parallel.For(0, columns / _group, index => AddMoments(x, rows, index));
    }

    // Both triangles: what reads them reads rows.
    private void AddMoments(float[] x, int rows, int index)
    {
        var channels = ArrayPool<float>.Shared.Rent(_group * rows); // [g, rows]
        for (var row = 0; row < rows; row++)
            for (var i = 0; i < _group; i++) channels[i * rows + row] = x[row * Columns + index * _group + i];
        var moments = _moments.AsSpan(index * _group * _group, _group * _group);
        for (var i = 0; i < _group; i++)
            for (var j = 0; j <= i; j++)
            {
                moments[i * _group + j] += TensorPrimitives.Dot(channels.AsSpan(i * rows, rows), channels.AsSpan(j * rows, rows));
                moments[j * _group + i] = moments[i * _group + j];
            }
        ArrayPool<float>.Shared.Return(channels);
    }
}
