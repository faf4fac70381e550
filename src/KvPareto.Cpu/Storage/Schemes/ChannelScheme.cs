using KvPareto.Engine.Cache;

namespace KvPareto.Cpu.Storage.Schemes;

/// <summary><c>channel:g</c>: g tokens of one channel and head, as KIVI (arXiv 2402.02750) has its keys. bits + 32/g bits an
/// element.</summary>
internal sealed unsafe class ChannelScheme(int bits, int headDim, int group, GroupFit fit) : TokenBlockScheme(bits, headDim, group)
{
    public override int Scales => HeadDim;

    public override void Fit(GroupMeta* meta, float* rows, int count, int stride)
    {
        for (var d = 0; d < HeadDim; d++)
        {
            var (min, max) = ChannelRange.Of(rows + d, count, stride);
            meta[d] = GroupCodec.Fit(min, max, Bits, fit);
        }
    }
}

/// <summary>Smallest and largest of one channel.</summary>
internal static unsafe class ChannelRange
{
    /// <summary>Of <paramref name="count"/> tokens, <paramref name="stride"/> elements from one to the next; NaN where there is
    /// one.</summary>
    public static (float Min, float Max) Of(float* first, int count, int stride)
    {
        var (min, max) = (first[0], first[0]);
        for (var i = 1; i < count; i++)
        {
            var value = first[(long)i * stride];
            (min, max) = (MathF.Min(min, value), MathF.Max(max, value));
        }
        return (min, max);
    }
}
