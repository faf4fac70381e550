using System.Numerics.Tensors;
using KvPareto.Cpu.Kernels;
using KvPareto.Cpu.Storage.Schemes;

namespace KvPareto.Cpu.Storage;

/// <summary>Coded values with scales for a block of tokens: tiles of [16, D·bits/8] code bytes, then the blocks' scales.</summary>
internal sealed unsafe class TokenBlockValues : ValueStore
{
    private readonly TokenBlockScheme _scheme;
    private readonly TokenBlockLayout _layout;
    private readonly int _rowBytes;
    private readonly int _blockChannels;
    private readonly delegate*<byte*, int, long, int, float*, int, int, int, float*, int, void>[] _accumulate;
    private readonly delegate*<ushort*, short*, long, int, float*, int, float*, int, float*, int, void>[] _scaleWeights;
    private readonly delegate*<byte*, float*, void> _unpack;

    public TokenBlockValues(TokenBlockScheme scheme, int capacity, SimdLevel? level = null) : base(scheme.HeadDim, capacity)
    {
        _scheme = scheme;
        _layout = new TokenBlockLayout(scheme, capacity);
        _rowBytes = scheme.HeadDim * scheme.Bits / 8;
        _scaleWeights = KernelTable.Of(level).ScaleWeights;
        var fitting = Simd.WidestThat(level, w => scheme.HeadDim % (4 * w) == 0);
        _blockChannels = 4 * (int)fitting;
        _accumulate = KernelTable.Of(fitting).Accumulate(scheme.Bits);
        _unpack = KernelTable.Of(fitting).UnpackValuePlain(scheme.Bits);
    }

    public override int Granule => _scheme.Granule;

    public override int TileBytes => (int)_layout.TileBytes;

    public override long HeadBytes => _layout.HeadBytes;

    public override void BeginAppend(StorePlace first, long headStride, int heads, int start, int count, float* rows, int stride) =>
        _layout.BeginAppend(first, headStride, heads, start, count, rows, stride);

    public override void Take(TokenStore other, StorePlace from, StorePlace to, int tokens)
    {
        base.Take(other, from, to, tokens);
        _layout.TakeMeta(((TokenBlockValues)other)._layout, from, to, tokens);
    }

    public override void Append(StorePlace place, int start, int count, float* rows, int stride)
    {
        var codes = stackalloc byte[HeadDim];
        for (var i = 0; i < count; i++)
        {
            _scheme.Encode(_layout.MetaForAppend(place, start + i, rows + (long)i * stride, stride), rows + (long)i * stride, codes);
            GroupEncoder.Pack(codes, HeadDim, _scheme.Bits, place.Head + (long)(start + i) * _rowBytes);
        }
    }

    public override void Accumulate(
        StorePlace place, int tile, int tileCount, float* weights, int stride, int rows, float* output, float* scratch)
    {
        if (_scheme.Scales == 1) AccumulateBlocks(place, tile, tileCount, weights, stride, rows, output, scratch);
        else AccumulateChannels(place, tile, tileCount, weights, stride, rows, output, scratch);
    }

    // One scale for all channels: it goes into the weights.
    private void AccumulateBlocks(
        StorePlace place, int tile, int tileCount, float* weights, int stride, int rows, float* output, float* scratch)
    {
        var scales = stackalloc ushort[KvTile.Tokens];
        var zeros = stackalloc short[KvTile.Tokens];
        var constants = stackalloc float[rows];
        new Span<float>(constants, rows).Clear();
        for (var t = 0; t < tileCount; t++)
        {
            var meta = *_layout.Meta(place, (tile + t) * KvTile.Tokens);
            new Span<ushort>(scales, KvTile.Tokens).Fill(meta.ScaleBits);
            new Span<short>(zeros, KvTile.Tokens).Fill(meta.Zero);
            for (var r = 0; r < rows; r += KernelTable.MaxRows)
            {
                var scale = _scaleWeights[Math.Min(rows - r, KernelTable.MaxRows) - 1];
                scale(
                    scales, zeros, 0, 1, weights + (long)r * stride + t * KvTile.Tokens, stride,
                    scratch + (r * tileCount + t) * KvTile.Tokens, tileCount * KvTile.Tokens, constants + r, 1);
            }
        }
        for (var r = 0; r < rows; r++)
        {
            var row = new Span<float>(output + r * HeadDim, HeadDim);
            TensorPrimitives.Add(row, constants[r], row);
        }
        AccumulateCodes(place, tile, tileCount, scratch, tileCount * KvTile.Tokens, rows, output);
    }

    // A scale for each channel: codes are summed first and scaled once a block.
    private void AccumulateChannels(
        StorePlace place, int tile, int tileCount, float* weights, int stride, int rows, float* output, float* scratch)
    {
        var scales = stackalloc float[HeadDim];
        var offsets = stackalloc float[HeadDim];
        var end = tile + tileCount;
        while (tile < end)
        {
            var meta = _layout.Meta(place, tile * KvTile.Tokens);
            var run = 1;
            while (tile + run < end && _layout.Meta(place, (tile + run) * KvTile.Tokens) == meta) run++;
            _scheme.Read(meta, scales, offsets);
            new Span<float>(scratch, rows * HeadDim).Clear();
            AccumulateCodes(place, tile, run, weights, stride, rows, scratch);
            for (var r = 0; r < rows; r++)
            {
                var result = new Span<float>(output + r * HeadDim, HeadDim);
                var total = TensorPrimitives.Sum(new ReadOnlySpan<float>(weights + (long)r * stride, run * KvTile.Tokens));
                TensorPrimitives.MultiplyAdd(
                    new ReadOnlySpan<float>(scratch + r * HeadDim, HeadDim), new ReadOnlySpan<float>(scales, HeadDim), result, result);
                TensorPrimitives.MultiplyAdd(new ReadOnlySpan<float>(offsets, HeadDim), total, result, result);
            }
            tile += run;
            weights += run * KvTile.Tokens;
        }
    }

    public override void Unpack(StorePlace place, int tile, float* output, int stride)
    {
        var scales = stackalloc float[HeadDim];
        var offsets = stackalloc float[HeadDim];
        _scheme.Read(_layout.Meta(place, tile * KvTile.Tokens), scales, offsets);
        for (var token = 0; token < KvTile.Tokens; token++)
        {
            var codes = place.Head + ((long)tile * KvTile.Tokens + token) * _rowBytes;
            for (var c = 0; c < HeadDim; c += _blockChannels) _unpack(codes + c * _scheme.Bits / 8, output + (long)token * stride + c);
            var row = new Span<float>(output + (long)token * stride, HeadDim);
            TensorPrimitives.MultiplyAdd(row, new ReadOnlySpan<float>(scales, HeadDim), new ReadOnlySpan<float>(offsets, HeadDim), row);
        }
    }

    private void AccumulateCodes(StorePlace place, int tile, int tileCount, float* weights, int stride, int rows, float* sums)
    {
        var codes = place.Head + tile * _layout.TileBytes;
        for (var r = 0; r < rows; r += KernelTable.MaxRows)
        {
            var accumulate = _accumulate[Math.Min(rows - r, KernelTable.MaxRows) - 1];
            for (var c = 0; c < HeadDim; c += _blockChannels)
                accumulate(codes + c * _scheme.Bits / 8, tileCount, _layout.TileBytes, _rowBytes, weights + (long)r * stride, 0, stride,
                    HeadDim, sums + r * HeadDim + c, HeadDim);
        }
    }
}
