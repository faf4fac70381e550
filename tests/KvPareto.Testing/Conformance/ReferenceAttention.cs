using System.Numerics;
using System.Numerics.Tensors;
using KvPareto.Engine.Cache;

namespace KvPareto.Testing.Conformance;

/// <summary>
/// Attention in f64 over keys and values that went through the scalar codec: what every backend is compared with.
/// It shares nothing with a backend but <see cref="GroupCodec"/>.
/// </summary>
public sealed class ReferenceAttention
{
    private readonly KvGeometry _geometry;
    private readonly KvSpec _spec;
    private readonly int _layer;
    private readonly ReferenceSide _keys;
    private readonly ReferenceSide _values;
    private readonly double[][] _signs; // the Hadamard matrix, [D][D]
    private float[]? _mean;

    /// <summary>An empty cache of one layer.</summary>
    public ReferenceAttention(KvGeometry geometry, KvSpec spec, int layer)
    {
        (_geometry, _layer) = (geometry, layer);
        _spec = spec.ForLayer(layer, geometry.LayerCount);
        _signs = [.. Enumerable.Range(0, geometry.HeadDim).Select(c => Signs(c, geometry.HeadDim))];
        _keys = new(geometry.KvHeads, geometry.HeadDim, _spec.Keys.Bits, _spec.Keys.Granularity, _spec);
        _values = new(geometry.KvHeads, geometry.HeadDim, _spec.Values.Bits, _spec.Values.Granularity, _spec);
    }

    /// <summary>Keys as the model would have them, [tokens, Nkv·D].</summary>
    public double[] Keys => [.. _keys.Rows.SelectMany((row, t) => EffectiveKey(t).Select((x, c) => x + (_mean?[c] ?? 0)))];

    /// <summary>Values as the model would have them.</summary>
    public double[] Values
    {
        get
        {
            var values = new double[_values.Rows.Count * Width];
            for (var t = 0; t < _values.Rows.Count; t++)
            {
                ReadOnlySpan<float> row = _spec.Rotation == KvRotation.KeysAndValues ? Rotate(_values.Rows[t]) : _values.Rows[t];
                TensorPrimitives.ConvertChecked(row, values.AsSpan(t * Width, Width));
            }
            return values;
        }
    }

    private int Width => _geometry.KvHeads * _geometry.HeadDim;

    /// <summary>Appends T tokens, then y [T, Nq·D].</summary>
    public double[] Run(float[] q, float[] k, float[] v)
    {
        var tokens = k.Length / Width;
        var start = _keys.Rows.Count;
        var keys = Enumerable.Range(0, tokens).Select(t => Minus(k.AsSpan(t * Width, Width).ToArray(), Bias(start + t))).ToArray();
        if (_spec.SmoothKeys)
        {
            _mean ??= [.. Enumerable.Range(0, Width).Select(c => (float)(Half)(float)keys.Average(row => (double)row[c]))];
            keys = Array.ConvertAll(keys, row => Minus(row, _mean));
        }
        var values = Enumerable.Range(0, tokens).Select(t => v.AsSpan(t * Width, Width).ToArray()).ToArray();
        if (_spec.Rotation != KvRotation.None) keys = Array.ConvertAll(keys, Rotate);
        if (_spec.Rotation == KvRotation.KeysAndValues) values = Array.ConvertAll(values, Rotate);
        _keys.Append(keys);
        _values.Append(values);

        var y = new double[q.Length];
        var group = _geometry.QueryHeads / _geometry.KvHeads;
        var window = _geometry.LayerWindows[_layer];
        var readKeys = Enumerable.Range(0, start + tokens).Select(EffectiveKey).ToArray();
        var readValues = Values;
        for (var t = 0; t < tokens; t++)
        {
            var end = start + t + 1;
            var first = window > 0 ? Math.Max(0, end - window) : 0;
            for (var h = 0; h < _geometry.QueryHeads; h++)
            {
                var at = (t * _geometry.QueryHeads + h) * _geometry.HeadDim;
                Attend(q.AsSpan(at, _geometry.HeadDim), h / group * _geometry.HeadDim, first, end, readKeys, readValues,
                    y.AsSpan(at, _geometry.HeadDim));
            }
        }
        return y;
    }

    private void Attend(ReadOnlySpan<float> q, int column, int first, int end, double[][] keys, double[] values, Span<double> y)
    {
        Span<double> query = new double[q.Length];
        TensorPrimitives.ConvertChecked(q, query);
        var weights = new double[end - first];
        for (var t = first; t < end; t++)
            weights[t - first] = TensorPrimitives.Dot<double>(query, keys[t].AsSpan(column, q.Length)) * _geometry.ScoreScale;
        TensorPrimitives.SoftMax<double>(weights, weights);
        for (var t = first; t < end; t++)
            TensorPrimitives.MultiplyAdd(values.AsSpan(t * Width + column, q.Length), weights[t - first], y, y);
    }

    // Without the mean, which adds the same to every score.
    private double[] EffectiveKey(int token)
    {
        var row = _keys.Rows[token];
        var bias = Bias(token);
        var key = Array.ConvertAll(_spec.Rotation != KvRotation.None ? Rotate(row) : row, x => (double)x);
        for (var c = 0; bias is not null && c < key.Length; c++) key[c] += bias[c];
        return key;
    }

    private float[]? Bias(int position)
    {
        if (!_spec.PreBiasKeys) return null;
        var (bias, rope, d) = (_geometry.KeyBias!.Layers[_layer], _geometry.KeyBias.Rope, _geometry.HeadDim);
        var turned = new float[Width];
        for (var c = 0; c < Width; c++)
        {
            var (head, i) = (c / d * d, c % d % (d / 2));
            var (sin, cos) = Math.SinCos(position * rope.InverseFrequencies[i]);
            var (a, b) = (bias[head + i], bias[head + i + d / 2]);
            turned[c] = (float)(c % d < d / 2 ? a * cos - b * sin : b * cos + a * sin);
        }
        return turned;
    }

    private float[] Rotate(float[] row)
    {
        var d = _geometry.HeadDim;
        var turned = new float[row.Length];
        var wide = Array.ConvertAll(row, x => (double)x);
        for (var c = 0; c < row.Length; c++)
            turned[c] = (float)(TensorPrimitives.Dot<double>(_signs[c % d], wide.AsSpan(c / d * d, d)) / Math.Sqrt(d));
        return turned;
    }

    private static double[] Signs(int row, int count) =>
        [.. Enumerable.Range(0, count).Select(column => int.IsOddInteger(BitOperations.PopCount((uint)(row & column))) ? -1.0 : 1.0)];

    private static float[] Minus(float[] row, float[]? other) => other is null ? row : [.. row.Select((x, c) => x - other[c])];
}
