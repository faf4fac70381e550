using System.Numerics.Tensors;
using KvPareto.Engine.Cache;
using KvPareto.Engine.Cpu.Kernels;

namespace KvPareto.Engine.Cpu.Storage;

/// <summary>
/// Keys coded in groups of g channels of one token (<c>token:g</c>). A tile is
/// [D·bits/8, 16] code bytes, [G, 16] f16 scales, [G, 16] zero points.
/// </summary>
internal sealed unsafe class TokenKeys : KeyStore
{
    private readonly int _bits;
    private readonly int _group;
    private readonly int _codeBytes;
    private readonly delegate*<byte*, ushort*, short*, int, int, float*, float*, float*, int, void>[] _dot;
    private readonly delegate*<byte*, ushort*, short*, int, int, float*, int, void> _unpack;

    public TokenKeys(int headDim, int bits, int group, LaneWidth? width = null) : base(headDim)
    {
        (_bits, _group) = (bits, group);
        _codeBytes = headDim * bits / 8 * TileTokens;
        _dot = KernelTable.DotCodes(bits, width ?? LaneWidths.Widest);
        _unpack = KernelTable.UnpackKeyCodes(bits, width ?? LaneWidths.Widest);
    }

    public override int TileBytes => _codeBytes + Groups * TileTokens * GroupMeta.ByteSize;

    public override int QuerySums => Groups;

    private int Groups => HeadDim / _group;

    public override void Append(byte* head, int start, int count, float* rows, int stride, float* mean)
    {
        var row = stackalloc float[HeadDim];
        var codes = stackalloc byte[HeadDim];
        var packed = stackalloc byte[HeadDim];
        for (var i = 0; i < count; i++)
        {
            var source = rows + (long)i * stride;
            if (mean != null)
            {
                TensorPrimitives.Subtract(new ReadOnlySpan<float>(source, HeadDim), new ReadOnlySpan<float>(mean, HeadDim), new Span<float>(row, HeadDim));
                source = row;
            }
            var tile = head + (long)((start + i) / TileTokens) * TileBytes;
            var token = (start + i) % TileTokens;
            for (var g = 0; g < Groups; g++)
            {
                var meta = GroupEncoder.Encode(source + g * _group, _group, _bits, codes + g * _group);
                Scales(tile)[g * TileTokens + token] = meta.ScaleBits;
                Zeros(tile)[g * TileTokens + token] = meta.Zero;
            }
            GroupEncoder.Pack(codes, HeadDim, _bits, packed);
            for (var b = 0; b < HeadDim * _bits / 8; b++) tile[b * TileTokens + token] = packed[b];
        }
    }

    public override void PrepareQueries(float* queries, int rows, float* sums)
    {
        for (var g = 0; g < rows * Groups; g++) sums[g] = TensorPrimitives.Sum(new ReadOnlySpan<float>(queries + g * _group, _group));
    }

    public override void Dot(byte* head, int tile, float* queries, float* sums, int rows, float* scores, int stride)
    {
        var codes = head + (long)tile * TileBytes;
        for (var r = 0; r < rows; r += KernelTable.MaxRows)
        {
            var dot = _dot[Math.Min(rows - r, KernelTable.MaxRows) - 1];
            dot(codes, Scales(codes), Zeros(codes), HeadDim, _group, queries + r * HeadDim, sums + r * Groups, scores + r * stride, stride);
        }
    }

    public override void Unpack(byte* head, int tile, float* panel, int stride)
    {
        var codes = head + (long)tile * TileBytes;
        _unpack(codes, Scales(codes), Zeros(codes), HeadDim, _group, panel, stride);
    }

    private ushort* Scales(byte* tile) => (ushort*)(tile + _codeBytes);

    private short* Zeros(byte* tile) => (short*)(tile + _codeBytes) + Groups * TileTokens;
}
