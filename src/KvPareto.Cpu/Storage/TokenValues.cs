using System.Numerics.Tensors;
using KvPareto.Cpu.Kernels;
using KvPareto.Cpu.Storage.Schemes;

namespace KvPareto.Cpu.Storage;

/// <summary>Coded values with a scale for every token. A tile is [16, D·bits/8] code bytes and what the scheme keeps beside them.</summary>
internal sealed unsafe class TokenValues : ValueStore
{
    private readonly TokenScheme _scheme;
    private readonly int _rowBytes;
    private readonly int _blockChannels;
    private readonly delegate*<ushort*, short*, float*, float*, void> _readGroups;
    private readonly delegate*<ushort*, short*, long, int, float*, int, float*, int, float*, int, void>[] _scaleWeights;
    private readonly delegate*<byte*, int, long, int, float*, int, int, int, float*, int, void>[] _accumulate;
    private readonly delegate*<byte*, int, float*, float*, float*, void> _unpack;

    public TokenValues(TokenScheme scheme, int capacity, SimdLevel? level = null) : base(scheme.HeadDim, capacity)
    {
        _scheme = scheme;
        _rowBytes = scheme.HeadDim * scheme.Bits / 8;
        TileBytes = _rowBytes * KvTile.Tokens + scheme.HeadTileBytes;
        _readGroups = KernelTable.Of(level).ReadTileGroups;
        _scaleWeights = KernelTable.Of(level).ScaleWeights;
        // A block of four vectors must not pass the end of a row, nor a vector (half a vector at 2 bits) the end of its group; and it
        // begins with a group, or lies within one.
        var fitting = Simd.WidestThat(level, w =>
            scheme.HeadDim % (4 * w) == 0 && scheme.Group % (w * Math.Min(2, 8 / scheme.Bits)) == 0
                && (4 * w % scheme.Group == 0 || scheme.Group % (4 * w) == 0));
        _blockChannels = 4 * (int)fitting;
        _accumulate = KernelTable.Of(fitting).Accumulate(scheme.Bits);
        _unpack = KernelTable.Of(fitting).UnpackValueCodes(scheme.Bits);
    }

    public override int TileBytes { get; }

    public override int LayerTileBytes => _scheme.LayerTileBytes;

    public override void BeginAppend(StorePlace first, long headStride, int heads, int start, int count, float* rows, int stride) =>
        _scheme.BeginAppend(first.Layer, Capacity, start, count, rows, heads * HeadDim, stride);

    public override void Append(StorePlace place, int start, int count, float* rows, int stride)
    {
        var codes = stackalloc byte[HeadDim];
        for (var i = 0; i < count; i++)
        {
            var (tile, token) = Math.DivRem(start + i, KvTile.Tokens);
            var scales = Scales(place, tile);
            _scheme.Encode(scales, _scheme.Zeros(scales), token, rows + (long)i * stride, codes);
            GroupEncoder.Pack(codes, HeadDim, _scheme.Bits, place.Head + (long)tile * TileBytes + token * _rowBytes);
        }
    }

    public override void Accumulate(
        StorePlace place, int tile, int tileCount, float* weights, int stride, int rows, float* output, float* scratch)
    {
        var (groups, tokens) = (_scheme.Groups, tileCount * KvTile.Tokens);
        var constants = stackalloc float[rows * groups];
        new Span<float>(constants, rows * groups).Clear();
        var scales = Scales(place, tile);
        var tileStride = Scales(place, tile + 1) - scales;
        for (var r = 0; r < rows; r += KernelTable.MaxRows)
        {
            var scale = _scaleWeights[Math.Min(rows - r, KernelTable.MaxRows) - 1];
            for (var g = 0; g < groups; g++)
            {
                scale(
                    scales + g * KvTile.Tokens, _scheme.Zeros(scales) + g * KvTile.Tokens, tileStride, tileCount,
                    weights + (long)r * stride, stride,
                    scratch + (r * groups + g) * tokens, groups * tokens, constants + r * groups + g, groups);
            }
        }
        for (var g = 0; g < rows * groups; g++)
        {
            var part = new Span<float>(output + g * _scheme.Group, _scheme.Group);
            TensorPrimitives.Add(part, constants[g], part);
        }
        var tiles = place.Head + (long)tile * TileBytes;
        for (var r = 0; r < rows; r += KernelTable.MaxRows)
        {
            var accumulate = _accumulate[Math.Min(rows - r, KernelTable.MaxRows) - 1];
            for (var c = 0; c < HeadDim; c += _blockChannels)
            {
                accumulate(
                    tiles + c * _scheme.Bits / 8, tileCount, TileBytes, _rowBytes, scratch + (r * groups + c / _scheme.Group) * tokens,
                        tokens, groups * tokens,
                    _scheme.Group, output + r * HeadDim + c, HeadDim);
            }
        }
    }

    public override void Unpack(StorePlace place, int tile, float* output, int stride)
    {
        var groups = _scheme.Groups;
        var scales = stackalloc float[groups * KvTile.Tokens];
        var offsets = stackalloc float[groups * KvTile.Tokens];
        var tokenScales = stackalloc float[groups];
        var tokenOffsets = stackalloc float[groups];
        var scaleBits = Scales(place, tile);
        for (var g = 0; g < groups; g++)
            _readGroups(scaleBits + g * KvTile.Tokens, _scheme.Zeros(scaleBits) + g * KvTile.Tokens, scales + g * KvTile.Tokens,
                offsets + g * KvTile.Tokens);
        var codes = place.Head + (long)tile * TileBytes;
        for (var token = 0; token < KvTile.Tokens; token++)
        {
            for (var g = 0; g < groups; g++)
                (tokenScales[g], tokenOffsets[g]) = (scales[g * KvTile.Tokens + token], offsets[g * KvTile.Tokens + token]);
            for (var c = 0; c < HeadDim; c += _blockChannels)
            {
                var g = c / _scheme.Group;
                _unpack(codes + token * _rowBytes + c * _scheme.Bits / 8, _scheme.Group, tokenScales + g, tokenOffsets + g,
                    output + (long)token * stride + c);
            }
        }
    }

    private ushort* Scales(StorePlace place, int tile) =>
        _scheme.Scales(place.Head + (long)tile * TileBytes + _rowBytes * KvTile.Tokens, place.Layer, tile);
}
