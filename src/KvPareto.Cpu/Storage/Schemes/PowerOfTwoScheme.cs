using KvPareto.Engine.Cache;

namespace KvPareto.Cpu.Storage.Schemes;

/// <summary>
/// <c>pow2</c>: for each channel a power of two and an integer zero point, fixed from the first append: the scale is the smallest
/// 2^e with (max − min)·clip ≤ 2^e·(2^bits − 1). Later tokens outside that range are clipped. A product with the scale is a shift,
/// and nothing is stored with the tokens: bits an element, and 32·D bits a head.
/// </summary>
internal sealed unsafe class PowerOfTwoScheme(int bits, int headDim, GroupFit fit) : TokenBlockScheme(bits, headDim, AllTokens)
{
    public override int Granule => 1;

    public override int Scales => HeadDim;

    public override bool FitsOnce => true;

    public override void Fit(GroupMeta* meta, float* rows, int count, int stride)
    {
        for (var d = 0; d < HeadDim; d++)
        {
            var (min, max) = ChannelRange.Of(rows + d, count, stride);
            meta[d] = GroupCodec.FitPowerOfTwo(min, max, Bits, fit);
        }
    }
}
