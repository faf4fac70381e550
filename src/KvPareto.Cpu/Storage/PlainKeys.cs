using System.Numerics.Tensors;
using KvPareto.Cpu.Kernels;

namespace KvPareto.Cpu.Storage;

/// <summary>Uncoded keys, f16 or (for comparison with other engines) f32. A tile is [D, 16] elements.</summary>
internal sealed unsafe class PlainKeys : KeyStore
{
    private readonly int _bits;
    private readonly delegate*<byte*, int, float*, float*, int, void>[] _dot;
    private readonly delegate*<byte*, int, float*, int, void> _unpack;

    public PlainKeys(int headDim, int bits, int capacity, SimdLevel? level = null) : base(headDim, capacity)
    {
        _bits = bits;
        _dot = KernelTable.Of(level).DotPlain(bits);
        _unpack = KernelTable.Of(level).UnpackKeyPlain(bits);
    }

    public override int TileBytes => HeadDim * _bits / 8 * KvTile.Tokens;

    public override void Append(StorePlace place, int start, int count, float* rows, int stride)
    {
        var half = stackalloc Half[HeadDim];
        for (var i = 0; i < count; i++)
        {
            var source = rows + (long)i * stride;
            var (index, token) = Math.DivRem(start + i, KvTile.Tokens);
            var tile = place.Head + (long)index * TileBytes;
            if (_bits == 32)
            {
                for (var d = 0; d < HeadDim; d++) ((float*)tile)[d * KvTile.Tokens + token] = source[d];
                continue;
            }
            TensorPrimitives.ConvertToHalf(new(source, HeadDim), new Span<Half>(half, HeadDim));
            for (var d = 0; d < HeadDim; d++) ((Half*)tile)[d * KvTile.Tokens + token] = half[d];
        }
    }

    public override void Dot(StorePlace place, int tile, int tileCount, float* queries, int rows, float* scores, int stride)
    {
        for (var t = tile; t < tile + tileCount; t++, scores += KvTile.Tokens)
        {
            Prefetch.Lines(place.Head + (long)t * TileBytes + KvTile.PrefetchBytes, TileBytes);
            for (var r = 0; r < rows; r += KernelTable.MaxRows)
            {
                var dot = _dot[Math.Min(rows - r, KernelTable.MaxRows) - 1];
                dot(place.Head + (long)t * TileBytes, HeadDim, queries + r * HeadDim, scores + (long)r * stride, stride);
            }
        }
    }

    public override void Unpack(StorePlace place, int tile, float* panel, int stride) =>
        _unpack(place.Head + (long)tile * TileBytes, HeadDim, panel, stride);
}
