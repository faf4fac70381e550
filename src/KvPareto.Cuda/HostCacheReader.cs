using KvPareto.Engine.Cache;

namespace KvPareto.Cuda;

/// <summary>Reads a layer of a cache's image in host memory by the scalar codec, as attention would read it. For tests.</summary>
internal sealed unsafe class HostCacheReader(KvGeometry geometry, KvSpec spec, int length)
{
    private int Width => geometry.HeadDim;

    /// <summary>Keys and values of all tokens, [length, Nkv·D] each.</summary>
    /// <param name="layer">A layer in host memory.</param>
    /// <param name="ends">The tokens after the last coded ones.</param>
    /// <param name="keys">Keys.</param>
    /// <param name="values">Values.</param>
    public void Read(in LayerCache layer, (int Keys, int Values) ends, Span<float> keys, Span<float> values)
    {
        var row = new float[Width];
        for (var token = 0; token < length; token++)
        {
            for (var head = 0; head < geometry.KvHeads; head++)
            {
                var at = (token * geometry.KvHeads + head) * Width;
                Read(layer.Keys, ends.Keys, head, token, row);
                if (spec.Rotation != KvRotation.None) Rotate(row);
                if (layer.Means != 0) for (var c = 0; c < Width; c++) row[c] += (float)((Half*)layer.Means)[head * Width + c];
                if (layer.Bias != 0) AddBias(layer, head, token, row);
                row.CopyTo(keys[at..]);
                Read(layer.Values, ends.Values, head, token, row);
                if (spec.Rotation == KvRotation.KeysAndValues) Rotate(row);
                row.CopyTo(values[at..]);
            }
        }
    }

    private void Read(in Side side, int codedEnd, int head, int token, float[] row)
    {
        if (token < side.SinkTokens) Halves((Half*)side.Sinks + ((long)head * side.SinkTokens + token) * Width, row);
        else if (token >= codedEnd)
            Halves((Half*)side.Ring + ((long)head * side.RingTokens + token % side.RingTokens) * Width, row);
        else Codes(side, head, token - side.SinkTokens, row);
    }

    private void Codes(in Side side, int head, int at, float[] row)
    {
        var codes = (byte*)side.Codes + head * side.HeadCodes + (long)at * side.RowBytes;
        if (side.Bits == 32) new ReadOnlySpan<float>(codes, Width).CopyTo(row);
        else if (side.Bits == 16) Halves((Half*)codes, row);
        else
        {
            var groups = (GroupMeta*)side.Groups + head * side.HeadGroups + (long)(at / side.GroupTokens) * side.GroupsPerTokenBlock;
            var packed = new ReadOnlySpan<byte>(codes, side.RowBytes);
            for (var c = 0; c < Width; c++)
                row[c] = GroupCodec.Decode(GroupCodec.Load(packed, c, side.Bits), groups[c / side.GroupChannels]);
        }
    }

    private void Halves(Half* source, float[] row)
    {
        for (var c = 0; c < Width; c++) row[c] = (float)source[c];
    }

    private void Rotate(float[] row)
    {
        for (var half = 1; half < Width; half *= 2)
        {
            for (var i = 0; i < Width; i++)
            {
                if ((i & half) == 0) (row[i], row[i + half]) = (row[i] + row[i + half], row[i] - row[i + half]);
            }
        }
        for (var c = 0; c < Width; c++) row[c] /= MathF.Sqrt(Width);
    }

    private void AddBias(in LayerCache layer, int head, int token, float[] row)
    {
        var bias = (float*)layer.Bias + head * Width;
        var turn = (float*)layer.Turns + (long)token * Width;
        var half = Width / 2;
        for (var i = 0; i < half; i++)
        {
            row[i] += bias[i] * turn[i] - bias[half + i] * turn[half + i];
            row[half + i] += bias[half + i] * turn[i] + bias[i] * turn[half + i];
        }
    }
}
