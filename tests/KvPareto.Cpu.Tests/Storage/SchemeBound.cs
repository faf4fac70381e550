using KvPareto.Engine.Cache;

namespace KvPareto.Cpu.Tests.Storage;

/// <summary>How far a scheme may move what it stores, from <c>docs/schemes.md</c> alone.</summary>
internal sealed class SchemeBound
{
    private const double HalfStep = 0.5 + 255 / 2048.0 + 0.01; // an f16 scale that is rounded down clips up to 255/2048 of a step
    private const double HalfRounding = 1 / 2048.0;
    private const double SmallestHalf = 1 / 16777216.0;

    private readonly float[][] _rows; // as they are coded: without bias and mean, turned
    private readonly int[] _appends; // first token of each token's append
    private readonly int _bits;
    private readonly KvGranularity _granularity;
    private readonly KvSpec _spec;
    private readonly int _headDim;
    private readonly int _sinks;
    private readonly int _granule;
    private readonly int _codedEnd;
    private readonly Dictionary<((int, int) Tokens, (int, int) Columns), (double Low, double High)> _ranges = [];

    public SchemeBound(float[][] rows, int[] chunks, int bits, KvGranularity granularity, KvSpec spec, int headDim)
    {
        (_rows, _bits, _granularity, _spec, _headDim) = (rows, bits, granularity, spec, headDim);
        _appends = [.. chunks.SelectMany((count, i) => Enumerable.Repeat(chunks[..i].Sum(), count))];
        _sinks = spec.SinkTokens;
        _granule = bits < 16 && granularity.Axis is KvAxis.Channel or KvAxis.Block ? granularity.Group : 1;
        _codedEnd = _sinks + Math.Max(0, rows.Length - _sinks - spec.RecentTokens) / _granule * _granule;
    }

    /// <summary>Whether a token is kept as codes by now.</summary>
    public bool IsCoded(int token) => _bits < 16 && token >= _sinks && token < _codedEnd;

    /// <summary>The largest error of one element.</summary>
    public double Of(int token, int channel)
    {
        var x = (double)_rows[token][channel];
        if (_bits == 32) return 0;
        if (!IsCoded(token)) return Math.Abs(x) * HalfRounding + SmallestHalf;
        var (low, high) = Range(token, channel);
        var step = Math.Max((high - low) / ((1 << _bits) - 1), SmallestHalf);
        if (_granularity.Axis == KvAxis.PowerOfTwo) step *= 2;
        // Tokens that waited at 16 bits were rounded there, the ends of the range too.
        var waited = _spec.RecentTokens > 0 || _granule > 1
            ? 2 * HalfRounding * Math.Max(Math.Abs(x), Math.Max(Math.Abs(low), Math.Abs(high))) : 0;
        return step * HalfStep + Math.Max(0, Math.Max(low - x, x - high)) + waited + Math.Abs(x) * 1e-6;
    }

    // Of the elements that share a scale with this one, clipped.
    private (double Low, double High) Range(int token, int channel)
    {
        var first = _sinks + (token - _sinks) / _granule * _granule;
        var (tokens, columns) = _granularity.Axis switch
        {
            KvAxis.Token => ((token, 1), (channel / _granularity.Group * _granularity.Group, _granularity.Group)),
            KvAxis.Channel => ((first, _granule), (channel, 1)),
            KvAxis.Block => ((first, _granule), (channel / _headDim * _headDim, _headDim)),
            KvAxis.Tensor => (Append(_appends[token]), (0, _rows[0].Length)),
            _ => (Append(_appends[_sinks]), (channel, 1)),
        };
        if (_ranges.TryGetValue((tokens, columns), out var range)) return range;
        var group = Enumerable.Range(tokens.Item1, tokens.Item2).SelectMany(t => _rows[t].Skip(columns.Item1).Take(columns.Item2))
            .ToArray();
        return _ranges[(tokens, columns)] = Clipped(group.Min(), group.Max());
    }

    // What an append brings behind the sinks.
    private (int First, int Count) Append(int start) =>
        (Math.Max(start, _sinks), Array.LastIndexOf(_appends, start) + 1 - Math.Max(start, _sinks));

    private (double Low, double High) Clipped(double min, double max)
    {
        var clip = _spec.Fit.ClipPercent / 100.0;
        var cut = (1 - clip) * (max - min);
        return min >= 0 ? (min, max - cut) : max <= 0 ? (min + cut, max) : (min * clip, max * clip);
    }
}
