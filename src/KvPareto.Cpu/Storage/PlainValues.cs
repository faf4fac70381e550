using System.Numerics.Tensors;
using KvPareto.Cpu.Kernels;

namespace KvPareto.Cpu.Storage;

/// <summary>Uncoded values, f16 or (for comparison with other engines) f32. A tile is [16, D] elements.</summary>
internal sealed unsafe class PlainValues : ValueStore
{
    private readonly int _bits;
    private readonly int _blockChannels;
    private readonly delegate*<byte*, int, long, int, float*, int, int, int, float*, int, void>[] _accumulate;
    private readonly delegate*<byte*, float*, void> _unpack;

    public PlainValues(int headDim, int bits, int capacity, SimdLevel? level = null) : base(headDim, capacity)
    {
        _bits = bits;
        var fitting = Simd.WidestThat(level, w => headDim % (4 * w) == 0);
        _blockChannels = 4 * (int)fitting;
        _accumulate = KernelTable.Of(fitting).Accumulate(bits);
        _unpack = KernelTable.Of(fitting).UnpackValuePlain(bits);
    }

    public override int TileBytes => RowBytes * KvTile.Tokens;

    private int RowBytes => HeadDim * _bits / 8;

    public override void Append(StorePlace place, int start, int count, float* rows, int stride)
    {
        for (var i = 0; i < count; i++)
        {
            var source = new ReadOnlySpan<float>(rows + (long)i * stride, HeadDim);
            var target = place.Head + (long)(start + i) * RowBytes;
            if (_bits == 16) TensorPrimitives.ConvertToHalf(source, new Span<Half>(target, HeadDim));
            else source.CopyTo(new Span<float>(target, HeadDim));
        }
    }

    public override void Accumulate(
        StorePlace place, int tile, int tileCount, float* weights, int stride, int rows, float* output, float* scratch)
    {
        var tiles = place.Head + (long)tile * TileBytes;
        for (var r = 0; r < rows; r += KernelTable.MaxRows)
        {
            var accumulate = _accumulate[Math.Min(rows - r, KernelTable.MaxRows) - 1];
            for (var c = 0; c < HeadDim; c += _blockChannels)
                accumulate(tiles + c * _bits / 8, tileCount, TileBytes, RowBytes, weights + (long)r * stride, 0, stride, HeadDim,
                    output + r * HeadDim + c, HeadDim);
        }
    }

    public override void Unpack(StorePlace place, int tile, float* output, int stride)
    {
        var rows = place.Head + (long)tile * TileBytes;
        for (var token = 0; token < KvTile.Tokens; token++)
        {
            for (var c = 0; c < HeadDim; c += _blockChannels)
                _unpack(rows + token * RowBytes + c * _bits / 8, output + (long)token * stride + c);
        }
    }
}
