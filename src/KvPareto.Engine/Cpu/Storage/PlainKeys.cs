using System.Numerics.Tensors;
using KvPareto.Engine.Cpu.Kernels;

namespace KvPareto.Engine.Cpu.Storage;

/// <summary>Uncoded keys, f16 or (for comparison with other engines) f32. A tile is [D, 16] elements.</summary>
internal sealed unsafe class PlainKeys : KeyStore
{
    private readonly int _bits;
    private readonly delegate*<byte*, int, float*, float*, int, void>[] _dot;
    private readonly delegate*<byte*, int, float*, int, void> _unpack;

    public PlainKeys(int headDim, int bits, LaneWidth? width = null) : base(headDim)
    {
        _bits = bits;
        _dot = KernelTable.DotPlain(bits, width ?? LaneWidths.Widest);
        _unpack = KernelTable.UnpackKeyPlain(bits, width ?? LaneWidths.Widest);
    }

    public override int TileBytes => HeadDim * _bits / 8 * TileTokens;

    public override int QuerySums => 0;

    public override void Append(byte* head, int start, int count, float* rows, int stride, float* mean)
    {
        var row = stackalloc float[HeadDim];
        var half = stackalloc Half[HeadDim];
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
            if (_bits == 32)
            {
                for (var d = 0; d < HeadDim; d++) ((float*)tile)[d * TileTokens + token] = source[d];
                continue;
            }
            TensorPrimitives.ConvertToHalf(new(source, HeadDim), new Span<Half>(half, HeadDim));
            for (var d = 0; d < HeadDim; d++) ((Half*)tile)[d * TileTokens + token] = half[d];
        }
    }

    public override void PrepareQueries(float* queries, int rows, float* sums) { }

    public override void Dot(byte* head, int tile, float* queries, float* sums, int rows, float* scores, int stride)
    {
        for (var r = 0; r < rows; r += KernelTable.MaxRows)
        {
            var dot = _dot[Math.Min(rows - r, KernelTable.MaxRows) - 1];
            dot(head + (long)tile * TileBytes, HeadDim, queries + r * HeadDim, scores + r * stride, stride);
        }
    }

    public override void Unpack(byte* head, int tile, float* panel, int stride) => _unpack(head + (long)tile * TileBytes, HeadDim, panel, stride);
}
