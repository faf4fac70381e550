using System.Numerics.Tensors;
using KvPareto.Cpu.Kernels;
using KvPareto.Cpu.Storage.Schemes;
using KvPareto.Engine.Cache;

namespace KvPareto.Cpu.Storage;

/// <summary>
/// Coded keys with scales for a block of tokens: tiles of [D·bits/8, 16] code bytes, then the blocks' scales. Scales of channels are
/// multiplied into the queries, so that a block's tiles are read without any.
/// </summary>
internal sealed unsafe class TokenBlockKeys : KeyStore
{
    private readonly TokenBlockScheme _scheme;
    private readonly TokenBlockLayout _layout;
    private readonly delegate*<byte*, int, float*, float*, float*, int, void>[] _dot;
    private readonly delegate*<byte*, ushort*, short*, int, int, float*, float*, float*, int, void>[] _dotBlock;
    private readonly delegate*<byte*, int, float*, float*, float*, int, void> _unpack;

    public TokenBlockKeys(TokenBlockScheme scheme, int capacity, SimdLevel? level = null) : base(scheme.HeadDim, capacity)
    {
        _scheme = scheme;
        _layout = new TokenBlockLayout(scheme, capacity);
        _dot = KernelTable.Of(level).DotScaledCodes(scheme.Bits);
        _dotBlock = KernelTable.Of(level).DotCodes(scheme.Bits);
        _unpack = KernelTable.Of(level).UnpackScaledKeyCodes(scheme.Bits);
    }

    public override int Granule => _scheme.Granule;

    public override int TileBytes => (int)_layout.TileBytes;

    public override long HeadBytes => _layout.HeadBytes;

    public override void BeginAppend(StorePlace first, long headStride, int heads, int start, int count, float* rows, int stride) =>
        _layout.BeginAppend(first, headStride, heads, start, count, rows, stride);

    public override void Take(TokenStore other, StorePlace from, StorePlace to, int tokens)
    {
        base.Take(other, from, to, tokens);
        _layout.TakeMeta(((TokenBlockKeys)other)._layout, from, to, tokens);
    }

    public override void Append(StorePlace place, int start, int count, float* rows, int stride)
    {
        var codes = stackalloc byte[HeadDim];
        for (var i = 0; i < count; i++)
        {
            var meta = _layout.MetaForAppend(place, start + i, rows + (long)i * stride, stride);
            _scheme.Encode(meta, rows + (long)i * stride, codes);
            var (tile, token) = Math.DivRem(start + i, KvTile.Tokens);
            Put(codes, _scheme.Bits, place.Head + tile * _layout.TileBytes, token);
        }
    }

    public override void Dot(StorePlace place, int tile, int tileCount, float* queries, int rows, float* scores, int stride)
    {
        if (_scheme.Scales == 1) DotBlocks(place, tile, tileCount, queries, rows, scores, stride);
        else DotChannels(place, tile, tileCount, queries, rows, scores, stride);
    }

    // One scale for all channels: as if every token had it.
    private void DotBlocks(StorePlace place, int tile, int tileCount, float* queries, int rows, float* scores, int stride)
    {
        var scales = stackalloc ushort[KvTile.Tokens];
        var zeros = stackalloc short[KvTile.Tokens];
        var sums = stackalloc float[rows];
        for (var r = 0; r < rows; r++) sums[r] = TensorPrimitives.Sum(new ReadOnlySpan<float>(queries + r * HeadDim, HeadDim));
        for (var t = tile; t < tile + tileCount; t++, scores += KvTile.Tokens)
        {
            Prefetch.Lines(place.Head + t * _layout.TileBytes + KvTile.PrefetchBytes, TileBytes);
            var meta = *_layout.Meta(place, t * KvTile.Tokens);
            new Span<ushort>(scales, KvTile.Tokens).Fill(meta.ScaleBits);
            new Span<short>(zeros, KvTile.Tokens).Fill(meta.Zero);
            for (var r = 0; r < rows; r += KernelTable.MaxRows)
            {
                var dot = _dotBlock[Math.Min(rows - r, KernelTable.MaxRows) - 1];
                dot(place.Head + t * _layout.TileBytes, scales, zeros, HeadDim, HeadDim, queries + r * HeadDim, sums + r,
                    scores + (long)r * stride, stride);
            }
        }
    }

    // A block's scales go into the queries.
    private void DotChannels(StorePlace place, int tile, int tileCount, float* queries, int rows, float* scores, int stride)
    {
        var scales = stackalloc float[HeadDim];
        var offsets = stackalloc float[HeadDim];
        var scaled = stackalloc float[rows * HeadDim];
        var constants = stackalloc float[rows];
        GroupMeta* current = null;
        for (var t = tile; t < tile + tileCount; t++, scores += KvTile.Tokens)
        {
            Prefetch.Lines(place.Head + t * _layout.TileBytes + KvTile.PrefetchBytes, TileBytes);
            var meta = _layout.Meta(place, t * KvTile.Tokens);
            if (meta != current)
            {
                current = meta;
                _scheme.Read(meta, scales, offsets);
                for (var r = 0; r < rows; r++)
                {
                    var query = new ReadOnlySpan<float>(queries + r * HeadDim, HeadDim);
                    TensorPrimitives.Multiply(
                        query, new ReadOnlySpan<float>(scales, HeadDim), new Span<float>(scaled + r * HeadDim, HeadDim));
                    constants[r] = TensorPrimitives.Dot(query, new ReadOnlySpan<float>(offsets, HeadDim));
                }
            }
            for (var r = 0; r < rows; r += KernelTable.MaxRows)
            {
                var dot = _dot[Math.Min(rows - r, KernelTable.MaxRows) - 1];
                dot(place.Head + t * _layout.TileBytes, HeadDim, scaled + r * HeadDim, constants + r, scores + (long)r * stride, stride);
            }
        }
    }

    public override void Unpack(StorePlace place, int tile, float* panel, int stride)
    {
        var scales = stackalloc float[HeadDim];
        var offsets = stackalloc float[HeadDim];
        _scheme.Read(_layout.Meta(place, tile * KvTile.Tokens), scales, offsets);
        _unpack(place.Head + tile * _layout.TileBytes, HeadDim, scales, offsets, panel, stride);
    }
}
