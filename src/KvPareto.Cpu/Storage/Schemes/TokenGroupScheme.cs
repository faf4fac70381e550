using KvPareto.Cpu.Kernels;
using KvPareto.Engine.Cache;

namespace KvPareto.Cpu.Storage.Schemes;

/// <summary><c>token:g</c>: g channels of one token and head. bits + 32/g bits an element.</summary>
internal sealed unsafe class TokenGroupScheme(int bits, int headDim, int group, GroupFit fit) : TokenScheme(bits, headDim, group)
{
    public override int HeadTileBytes => Groups * KvTile.Tokens * GroupMeta.ByteSize;

    public override int LayerTileBytes => 0;

    public override ushort* Scales(byte* headTile, byte* layer, int tile) => (ushort*)headTile;

    public override void Encode(ushort* scales, short* zeros, int token, float* row, byte* codes)
    {
        for (var g = 0; g < Groups; g++)
        {
            var meta = GroupEncoder.Fit(row + g * Group, Group, Bits, fit);
            GroupEncoder.Encode(row + g * Group, Group, meta, Bits, codes + g * Group);
            (scales[g * KvTile.Tokens + token], zeros[g * KvTile.Tokens + token]) = (meta.ScaleBits, meta.Zero);
        }
    }
}
