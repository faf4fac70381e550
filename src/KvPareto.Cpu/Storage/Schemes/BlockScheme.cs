using KvPareto.Cpu.Kernels;
using KvPareto.Engine.Cache;

namespace KvPareto.Cpu.Storage.Schemes;

/// <summary><c>block:n</c>: n tokens of one head, all channels. bits + 32/(n·D) bits an element.</summary>
internal sealed unsafe class BlockScheme(int bits, int headDim, int tokens, GroupFit fit) : TokenBlockScheme(bits, headDim, tokens)
{
    public override int Scales => 1;

    public override void Fit(GroupMeta* meta, float* rows, int count, int stride)
    {
        var (min, max) = (float.PositiveInfinity, float.NegativeInfinity);
        for (var i = 0; i < count; i++)
        {
            var (low, high) = GroupEncoder.Range(rows + (long)i * stride, HeadDim);
            (min, max) = (MathF.Min(min, low), MathF.Max(max, high));
        }
        *meta = GroupCodec.Fit(min, max, Bits, fit);
    }
}
