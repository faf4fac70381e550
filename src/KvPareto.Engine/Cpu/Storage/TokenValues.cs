using System.Numerics.Tensors;
using KvPareto.Engine.Cache;
using KvPareto.Engine.Cpu.Kernels;

namespace KvPareto.Engine.Cpu.Storage;

/// <summary>
/// Values coded in groups of g channels of one token (<c>token:g</c>). A tile is
/// [16, D·bits/8] code bytes, [G, 16] f16 scales, [G, 16] zero points.
/// </summary>
internal sealed unsafe class TokenValues : ValueStore
{
    private readonly int _bits;
    private readonly int _group;
    private readonly int _rowBytes;
    private readonly int _blockChannels;
    private readonly LaneWidth _width;
    private readonly delegate*<byte*, int, long, int, float*, int, int, int, float*, int, void>[] _accumulate;
    private readonly delegate*<byte*, int, float*, float*, float*, void> _unpack;

    public TokenValues(int headDim, int bits, int group, LaneWidth? width = null) : base(headDim)
    {
        (_bits, _group, _rowBytes) = (bits, group, headDim * bits / 8);
        // A block of four vectors must not pass the end of a row, nor a vector the end of its group.
        var widest = width ?? LaneWidths.Widest;
        _width = LaneWidths.Supported.First(w => w <= widest && (w == LaneWidth.Scalar || (headDim % (4 * (int)w) == 0 && group % ((int)w * Math.Min(4, 8 / bits)) == 0)));
        _blockChannels = 4 * (int)_width;
        _accumulate = KernelTable.Accumulate(bits, _width);
        _unpack = KernelTable.UnpackValueCodes(bits, _width);
    }

    public override int TileBytes => (_rowBytes + Groups * GroupMeta.ByteSize) * TileTokens;

    public override int WeightsPerToken => Groups;

    private int Groups => HeadDim / _group;

    public override void Append(byte* head, int start, int count, float* rows, int stride)
    {
        var codes = stackalloc byte[HeadDim];
        for (var i = 0; i < count; i++)
        {
            var tile = head + (long)((start + i) / TileTokens) * TileBytes;
            var token = (start + i) % TileTokens;
            for (var g = 0; g < Groups; g++)
            {
                var meta = GroupEncoder.Encode(rows + (long)i * stride + g * _group, _group, _bits, codes + g * _group);
                Scales(tile)[g * TileTokens + token] = meta.ScaleBits;
                Zeros(tile)[g * TileTokens + token] = meta.Zero;
            }
            GroupEncoder.Pack(codes, HeadDim, _bits, tile + token * _rowBytes);
        }
    }

    public override void Accumulate(byte* head, int tile, int tileCount, float* weights, int stride, int rows, float* output, float* scratch)
    {
        var tiles = head + (long)tile * TileBytes;
        var tokens = tileCount * TileTokens;
        var scales = stackalloc float[TileTokens];
        var offsets = stackalloc float[TileTokens];
        var constants = stackalloc float[rows * Groups];
        new Span<float>(constants, rows * Groups).Clear();
        for (var t = 0; t < tileCount; t++)
        {
            for (var g = 0; g < Groups; g++)
            {
                ReadGroups(tiles + (long)t * TileBytes, g, scales, offsets);
                for (var r = 0; r < rows; r++)
                {
                    var weight = new ReadOnlySpan<float>(weights + (long)r * stride + t * TileTokens, TileTokens);
                    TensorPrimitives.Multiply(weight, new ReadOnlySpan<float>(scales, TileTokens), new Span<float>(scratch + (r * Groups + g) * tokens + t * TileTokens, TileTokens));
                    constants[r * Groups + g] += TensorPrimitives.Dot(weight, new ReadOnlySpan<float>(offsets, TileTokens));
                }
            }
        }
        for (var r = 0; r < rows; r++)
        {
            for (var g = 0; g < Groups; g++)
            {
                var part = new Span<float>(output + r * HeadDim + g * _group, _group);
                TensorPrimitives.Add(part, constants[r * Groups + g], part);
            }
        }
        for (var r = 0; r < rows; r += KernelTable.MaxRows)
        {
            var accumulate = _accumulate[Math.Min(rows - r, KernelTable.MaxRows) - 1];
            for (var c = 0; c < HeadDim; c += _blockChannels)
            {
                accumulate(
                    tiles + c * _bits / 8, tileCount, TileBytes, _rowBytes, scratch + (r * Groups + c / _group) * tokens, tokens, Groups * tokens,
                    _group, output + r * HeadDim + c, HeadDim);
            }
        }
    }

    public override void Unpack(byte* head, int tile, float* output, int stride)
    {
        var codes = head + (long)tile * TileBytes;
        var scales = stackalloc float[Groups * TileTokens];
        var offsets = stackalloc float[Groups * TileTokens];
        var tokenScales = stackalloc float[Groups];
        var tokenOffsets = stackalloc float[Groups];
        for (var g = 0; g < Groups; g++) ReadGroups(codes, g, scales + g * TileTokens, offsets + g * TileTokens);
        for (var token = 0; token < TileTokens; token++)
        {
            for (var g = 0; g < Groups; g++) (tokenScales[g], tokenOffsets[g]) = (scales[g * TileTokens + token], offsets[g * TileTokens + token]);
            for (var c = 0; c < HeadDim; c += _blockChannels)
                _unpack(codes + token * _rowBytes + c * _bits / 8, _group, tokenScales + c / _group, tokenOffsets + c / _group, output + (long)token * stride + c);
        }
    }

    private void ReadGroups(byte* tile, int g, float* scales, float* offsets)
    {
        var scaleBits = Scales(tile) + g * TileTokens;
        var zeros = Zeros(tile) + g * TileTokens;
        switch (_width)
        {
            case LaneWidth.Avx512:
                var (scale, offset) = Lanes16.Groups(scaleBits, zeros);
                Lanes16.Store(scale, scales);
                Lanes16.Store(offset, offsets);
                break;
            default:
                for (var token = 0; token < TileTokens; token++) (scales[token], offsets[token]) = Lanes1.Groups(scaleBits + token, zeros + token);
                break;
        }
    }

    private ushort* Scales(byte* tile) => (ushort*)(tile + _rowBytes * TileTokens);

    private short* Zeros(byte* tile) => (short*)(tile + _rowBytes * TileTokens) + Groups * TileTokens;
}
