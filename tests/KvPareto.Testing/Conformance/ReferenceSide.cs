using KvPareto.Engine.Cache;

namespace KvPareto.Testing.Conformance;

/// <summary>The keys or values of one layer, stored as <see cref="KvSpec"/> says, by the scalar codec and in plain loops.</summary>
internal sealed class ReferenceSide(int heads, int headDim, int bits, KvGranularity granularity, KvSpec spec)
{
    private readonly List<float[]> _rows = [];
    private readonly List<GroupMeta> _tensorMetas = [];
    private GroupMeta[]? _powers;

    /// <summary>What is read of each token, [heads·D].</summary>
    public IReadOnlyList<float[]> Rows => _rows;

    private int Sinks => bits < 16 ? spec.SinkTokens : 0;

    private int Recent => bits < 16 ? spec.RecentTokens : 0;

    private int Granule => bits < 16 && granularity.Axis is KvAxis.Channel or KvAxis.Block ? granularity.Group : 1;

    private float Clip => spec.Fit.Clip;

    /// <summary>Stores tokens, and codes those whose time has come.</summary>
    public void Append(IReadOnlyList<float[]> tokens)
    {
        var start = _rows.Count;
        var coded = CodedEnd(start);
        var fresh = tokens.Where((_, i) => start + i >= Sinks).ToArray();
        if (bits < 16 && fresh.Length > 0) Prepare(fresh);
        foreach (var token in tokens)
        {
            if (_tensorMetas.Count < _rows.Count + 1) _tensorMetas.Add(default);
            _rows.Add(token);
        }
        var end = CodedEnd(_rows.Count);
        if (bits < 16)
        {
            var meta = fresh.Length > 0 && granularity.Axis == KvAxis.Tensor ? TensorMeta(fresh) : default;
            for (var t = start; t < _rows.Count; t++) _tensorMetas[t] = meta;
            for (var t = coded; t < end; t += Granule) Code(t);
        }
        for (var t = start; t < _rows.Count; t++)
        {
            if (bits == 16 || (bits < 16 && (t < Sinks || t >= end))) _rows[t] = Array.ConvertAll(_rows[t], x => (float)(Half)x);
        }
    }

    // Ends move towards zero, never past the other one and never away from it.
    private (float Min, float Max) Narrow(float min, float max)
    {
        if (min == max || Clip == 1) return (min, max);
        if (min < 0 && max > 0) return (min * Clip, max * Clip);
        return min >= 0 ? (min, max - (1 - Clip) * (max - min)) : (min + (1 - Clip) * (max - min), max);
    }

    private GroupMeta Fit(float min, float max)
    {
        (min, max) = Narrow(min, max);
        return GroupCodec.Fit(min, max, bits);
    }

    private int CodedEnd(int length) => Sinks + Math.Max(0, length - Sinks - Recent) / Granule * Granule;

    private void Prepare(float[][] fresh)
    {
        if (granularity.Axis != KvAxis.PowerOfTwo || _powers is not null) return;
        _powers = new GroupMeta[heads * headDim];
        for (var c = 0; c < _powers.Length; c++)
        {
            var (min, max) = Narrow(fresh.Min(row => row[c]), fresh.Max(row => row[c]));
            var levels = (1 << bits) - 1;
            var step = Math.Max((max - min) / levels, Math.Max(Math.Abs(min), Math.Abs(max)) / short.MaxValue);
            var power = MathF.Pow(2, Math.Clamp((int)Math.Ceiling(Math.Log2(Math.Max(step, float.Epsilon))), -24, 15));
            var zero = Math.Clamp(
                MathF.Round(GroupCodec.MinCode(bits) - min / power, MidpointRounding.ToEven), short.MinValue, short.MaxValue);
            _powers[c] = new(BitConverter.HalfToUInt16Bits((Half)power), (short)zero);
        }
    }

    private GroupMeta TensorMeta(float[][] fresh) => Fit(fresh.Min(row => row.Min()), fresh.Max(row => row.Max()));

    private void Code(int first)
    {
        for (var h = 0; h < heads; h++)
        {
            switch (granularity.Axis)
            {
                case KvAxis.Token:
                    for (var g = 0; g < headDim; g += granularity.Group) Recode(first, 1, h * headDim + g, granularity.Group, null);
                    break;
                case KvAxis.Channel:
                    for (var d = 0; d < headDim; d++) Recode(first, Granule, h * headDim + d, 1, null);
                    break;
                case KvAxis.Block:
                    Recode(first, Granule, h * headDim, headDim, null);
                    break;
                case KvAxis.Tensor:
                    Recode(first, 1, h * headDim, headDim, _tensorMetas[first]);
                    break;
                default:
                    for (var d = 0; d < headDim; d++) Recode(first, 1, h * headDim + d, 1, _powers![h * headDim + d]);
                    break;
            }
        }
    }

    // Codes a rectangle of tokens and channels with one scale, and puts back what is read.
    private void Recode(int first, int tokens, int column, int columns, GroupMeta? given)
    {
        var part = new float[tokens * columns];
        for (var t = 0; t < tokens; t++) _rows[first + t].AsSpan(column, columns).CopyTo(part.AsSpan(t * columns));
        var meta = given ?? Fit(part.Min(), part.Max());
        for (var t = 0; t < tokens; t++)
        {
            for (var c = 0; c < columns; c++)
                _rows[first + t][column + c] = GroupCodec.Decode(GroupCodec.Encode(part[t * columns + c], meta, bits), meta);
        }
    }
}
