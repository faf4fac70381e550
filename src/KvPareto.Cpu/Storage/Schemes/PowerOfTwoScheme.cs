using KvPareto.Engine.Cache;

namespace KvPareto.Cpu.Storage.Schemes;

/// <summary>
/// <c>pow2</c>: for each channel a power of two and an integer zero point, fixed from the first append: the scale is the smallest
/// 2^e with (max − min)·clip ≤ 2^e·(2^bits − 1). Later tokens outside that range are clipped. A product with the scale is a shift,
/// and nothing is stored with the tokens: bits an element, and 32·D bits a head.
/// </summary>
internal sealed unsafe class PowerOfTwoScheme(int bits, int headDim, GroupFit fit) : TokenBlockScheme(bits, headDim, AllTokens)
{
    private const int SmallestExponent = -24; // f16's subnormals end there
    private const int LargestExponent = 15;

    public override int Granule => 1;

    public override int Scales => HeadDim;

    public override bool FitsOnce => true;

    public override void Fit(GroupMeta* meta, float* rows, int count, int stride)
    {
        for (var d = 0; d < HeadDim; d++)
        {
            var (min, max) = ChannelRange.Of(rows + d, count, stride);
            (min, max) = GroupCodec.Narrow(min, max, fit);
            meta[d] = Fit(min, max);
        }
    }

    // A constant channel gets the narrowest scale that its zero point reaches: later tokens may differ.
    private GroupMeta Fit(float min, float max)
    {
        if (!float.IsFinite(min) || !float.IsFinite(max)) return GroupMeta.Constant(float.NaN);
        var levels = (1 << Bits) - 1;
        var narrowest = MathF.Max(MathF.Abs(min), MathF.Abs(max)) / short.MaxValue;
        var exponent = (int)Math.Ceiling(Math.Log2(MathF.Max(MathF.Max((max - min) / levels, narrowest), float.Epsilon)));
        var scale = MathF.ScaleB(1, Math.Clamp(exponent, SmallestExponent, LargestExponent));
        var zero = MathF.Round(GroupCodec.MinCode(Bits) - min / scale, MidpointRounding.ToEven);
        return new(BitConverter.HalfToUInt16Bits((Half)scale), (short)Math.Clamp(zero, short.MinValue, short.MaxValue));
    }
}
