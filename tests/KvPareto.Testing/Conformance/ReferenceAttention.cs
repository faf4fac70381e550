using KvPareto.Engine.Cache;

namespace KvPareto.Testing.Conformance;

/// <summary>
/// Attention in f64 over keys and values that went through the scalar codec: what every backend is compared with.
/// It shares nothing with a backend but <see cref="GroupCodec"/>.
/// </summary>
public sealed class ReferenceAttention(KvGeometry geometry, KvSpec spec)
{
    private readonly List<float[]> _keys = []; // [Nkv·D] a token, as attention reads them
    private readonly List<float[]> _values = [];
    private float[]? _mean;

    /// <summary>Keys as attention reads them, [tokens, Nkv·D].</summary>
    public float[] Keys => [.. _keys.SelectMany(row => row)];

    /// <summary>Values as attention reads them.</summary>
    public float[] Values => [.. _values.SelectMany(row => row)];

    /// <summary>The frozen mean of a smoothed cache [Nkv·D]; zero otherwise.</summary>
    public float[] Mean => _mean ?? new float[geometry.KvHeads * geometry.HeadDim];

    /// <summary>Appends T tokens, then y [T, Nq·D].</summary>
    public double[] Run(int layer, float[] q, float[] k, float[] v)
    {
        var width = geometry.KvHeads * geometry.HeadDim;
        var tokens = k.Length / width;
        if (spec.SmoothKeys && _mean is null)
        {
            _mean = new float[width];
            for (var c = 0; c < width; c++) _mean[c] = (float)(Half)(float)Enumerable.Range(0, tokens).Average(t => (double)k[t * width + c]);
        }
        var start = _keys.Count;
        for (var t = 0; t < tokens; t++)
        {
            _keys.Add(Recode(k.AsSpan(t * width, width), spec.KeyBits, spec.KeyGranularity.Group, _mean));
            _values.Add(Recode(v.AsSpan(t * width, width), spec.ValueBits, spec.ValueGranularity.Group, null));
        }
        var y = new double[q.Length];
        var group = geometry.QueryHeads / geometry.KvHeads;
        var window = geometry.LayerWindows[layer];
        for (var t = 0; t < tokens; t++)
        {
            var end = start + t + 1;
            var first = window > 0 ? Math.Max(0, end - window) : 0;
            for (var h = 0; h < geometry.QueryHeads; h++)
                Attend(q.AsSpan((t * geometry.QueryHeads + h) * geometry.HeadDim, geometry.HeadDim), h / group * geometry.HeadDim, first, end, y.AsSpan((t * geometry.QueryHeads + h) * geometry.HeadDim, geometry.HeadDim));
        }
        return y;
    }

    private void Attend(ReadOnlySpan<float> q, int column, int first, int end, Span<double> y)
    {
        var scores = new double[end - first];
        for (var t = first; t < end; t++)
        {
            for (var d = 0; d < q.Length; d++) scores[t - first] += (double)q[d] * _keys[t][column + d];
            scores[t - first] /= Math.Sqrt(q.Length);
        }
        var max = scores.Max();
        var total = scores.Sum(s => Math.Exp(s - max));
        for (var t = first; t < end; t++)
        {
            for (var d = 0; d < q.Length; d++) y[d] += Math.Exp(scores[t - first] - max) / total * _values[t][column + d];
        }
    }

    private static float[] Recode(ReadOnlySpan<float> row, int bits, int group, float[]? mean)
    {
        var shifted = new float[row.Length];
        for (var c = 0; c < row.Length; c++) shifted[c] = row[c] - (mean?[c] ?? 0);
        if (bits == 32) return shifted;
        if (bits == 16) return Array.ConvertAll(shifted, x => (float)(Half)x);
        for (var g = 0; g < row.Length; g += group)
        {
            var part = shifted.AsSpan(g, group);
            float min = part[0], max = part[0];
            foreach (var x in part) (min, max) = (Math.Min(min, x), Math.Max(max, x));
            var meta = GroupCodec.Fit(min, max, bits);
            for (var i = 0; i < group; i++) part[i] = GroupCodec.Decode(GroupCodec.Encode(part[i], meta, bits), meta);
        }
        return shifted;
    }
}
