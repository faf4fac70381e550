using KvPareto.Cpu.Kernels;
using KvPareto.Engine.Cache;

namespace KvPareto.Cpu.Storage.Schemes;

/// <summary>
/// <c>tensor</c>: one scale for all heads and tokens of an append. It is kept once a token and layer, so that a token's codes can be
/// read without a search for its append: bits + 32/(Nkv·D) bits an element.
/// </summary>
internal sealed unsafe class TensorScheme(int bits, int headDim, GroupFit fit) : TokenScheme(bits, headDim, headDim)
{
    private const int TileBytes = KvTile.Tokens * GroupMeta.ByteSize;

    public override int HeadTileBytes => 0;

    public override int LayerTileBytes => TileBytes;

    public override ushort* Scales(byte* headTile, byte* layer, int tile) => (ushort*)(layer + (long)tile * TileBytes);

    public override void BeginAppend(byte* layer, int capacity, int start, int count, float* rows, int width, int stride)
    {
        var (min, max) = (float.PositiveInfinity, float.NegativeInfinity);
        for (var i = 0; i < count; i++)
        {
            var (low, high) = GroupEncoder.Range(rows + (long)i * stride, width);
            (min, max) = (MathF.Min(min, low), MathF.Max(max, high));
        }
        var meta = GroupCodec.Fit(min, max, Bits, fit);
        // The last tokens may wait at 16 bits for good: they never need it.
        for (var token = start; token < Math.Min(start + count, capacity); token++)
        {
            var scales = Scales(null, layer, token / KvTile.Tokens);
            (scales[token % KvTile.Tokens], Zeros(scales)[token % KvTile.Tokens]) = (meta.ScaleBits, meta.Zero);
        }
    }

    public override void Encode(ushort* scales, short* zeros, int token, float* row, byte* codes) =>
        GroupEncoder.Encode(row, HeadDim, new GroupMeta(scales[token], zeros[token]), Bits, codes);
}
