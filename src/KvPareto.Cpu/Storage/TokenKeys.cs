using System.Numerics.Tensors;
using KvPareto.Cpu.Kernels;
using KvPareto.Cpu.Storage.Schemes;

namespace KvPareto.Cpu.Storage;

/// <summary>Coded keys with a scale for every token. A tile is [D·bits/8, 16] code bytes and what the scheme keeps beside them.</summary>
internal sealed unsafe class TokenKeys : KeyStore
{
    private readonly TokenScheme _scheme;
    private readonly int _codeBytes;
    private readonly delegate*<byte*, ushort*, short*, int, int, float*, float*, float*, int, void>[] _dot;
    private readonly delegate*<byte*, ushort*, short*, int, int, float*, int, void> _unpack;

    public TokenKeys(TokenScheme scheme, int capacity, SimdLevel? level = null) : base(scheme.HeadDim, capacity)
    {
        _scheme = scheme;
        _codeBytes = scheme.HeadDim * scheme.Bits / 8 * KvTile.Tokens;
        TileBytes = _codeBytes + scheme.HeadTileBytes;
        _dot = KernelTable.Of(level).DotCodes(scheme.Bits);
        _unpack = KernelTable.Of(level).UnpackKeyCodes(scheme.Bits);
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
            Put(codes, _scheme.Bits, place.Head + (long)tile * TileBytes, token);
        }
    }

    public override void Dot(StorePlace place, int tile, int tileCount, float* queries, int rows, float* scores, int stride)
    {
        var groups = _scheme.Groups;
        var sums = stackalloc float[rows * groups];
        for (var g = 0; g < rows * groups; g++)
            sums[g] = TensorPrimitives.Sum(new ReadOnlySpan<float>(queries + g * _scheme.Group, _scheme.Group));
        for (var t = tile; t < tile + tileCount; t++, scores += KvTile.Tokens)
        {
            Prefetch.Lines(place.Head + (long)t * TileBytes + KvTile.PrefetchBytes, TileBytes);
            var codes = place.Head + (long)t * TileBytes;
            var scales = Scales(place, t);
            for (var r = 0; r < rows; r += KernelTable.MaxRows)
            {
                var dot = _dot[Math.Min(rows - r, KernelTable.MaxRows) - 1];
                dot(codes, scales, _scheme.Zeros(scales), HeadDim, _scheme.Group, queries + r * HeadDim, sums + r * groups,
                    scores + (long)r * stride, stride);
            }
        }
    }

    public override void Unpack(StorePlace place, int tile, float* panel, int stride)
    {
        var scales = Scales(place, tile);
        _unpack(place.Head + (long)tile * TileBytes, scales, _scheme.Zeros(scales), HeadDim, _scheme.Group, panel, stride);
    }

    private ushort* Scales(StorePlace place, int tile) =>
        _scheme.Scales(place.Head + (long)tile * TileBytes + _codeBytes, place.Layer, tile);
}
