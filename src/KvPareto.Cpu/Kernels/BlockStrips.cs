using System.Runtime.Intrinsics;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Weights;

namespace KvPareto.Cpu.Kernels;

/// <summary>The kernels of one of ggml's block formats; the one place where format and <see cref="SimdLevel"/> meet.</summary>
internal abstract unsafe class BlockStrips
{
    private static readonly BlockStrips[] All =
    [
        new Of<Q40Blocks>(), new Of<Q41Blocks>(), new Of<Q50Blocks>(), new Of<Q51Blocks>(), new Of<Q80Blocks>(),
        new Of<Q4KBlocks>(), new Of<Q5KBlocks>(), new Of<Q6KBlocks>(), new Of<Q2KBlocks>(), new Of<Q3KBlocks>(), new Of<IQ4NLBlocks>(),
            new Of<IQ4XSBlocks>(),
    ];

    /// <summary>The format that they are for.</summary>
    protected abstract WeightFormat Format { get; }

    /// <summary>Those of <paramref name="format"/>.</summary>
    public static BlockStrips For(WeightFormat format)
    {
        foreach (var kernels in All)
            if (kernels.Format == format) return kernels;
        throw new ArgumentOutOfRangeException(nameof(format), format, "has no blocks");
    }

    /// <summary>y [32] = strip · x [K].</summary>
    public void Multiply(CpuWeight weight, int strip, float* x, float* y, SimdLevel level) =>
        Multiply(weight.StripAt(strip), x, weight.ColumnCount, y, level);

    /// <summary>Writes one strip of <paramref name="weight"/> from its rows in <paramref name="host"/>.</summary>
    public void Pack(HostWeight host, CpuWeight weight, int strip)
    {
        var shape = BlockShape.Of(Format);
        var rowBytes = shape.RowBytes(host.ColumnCount);
        new Span<byte>(weight.StripAt(strip), checked((int)weight.StripBytes)).Clear();
        for (var row = 0; row < Math.Min(Strip.Rows, host.RowCount - strip * Strip.Rows); row++)
        {
            var source = host.Data + ((long)strip * Strip.Rows + row) * rowBytes;
            for (var k = 0; k < host.ColumnCount; k += shape.Elements, source += shape.ByteCount)
                Pack(new(source, shape.ByteCount), (byte*)weight.BlockAt(strip, k).Address, row);
        }
    }

    /// <summary>Writes row <paramref name="row"/> of a weight as f32 [K].</summary>
    public void DecodeRow(CpuWeight weight, int row, float* destination)
    {
        var elements = BlockShape.Of(Format).Elements;
        for (var k = 0; k < weight.ColumnCount; k += elements)
            Decode((byte*)weight.BlockAt(row / Strip.Rows, k).Address, row % Strip.Rows, new(destination + k, elements));
    }

    /// <inheritdoc cref="BlockKernels{TFormat,TLanes,TFloat,TInt}.Unpack"/>
    public abstract void Unpack(byte* blocks, int channels, float* panel, SimdLevel level);

    /// <inheritdoc cref="BlockKernels{TFormat,TLanes,TFloat,TInt}.Multiply"/>
    protected abstract void Multiply(byte* blocks, float* x, int channels, float* y, SimdLevel level);

    /// <inheritdoc cref="BlockPacker{TFormat}.Pack"/>
    protected abstract void Pack(ReadOnlySpan<byte> block, byte* target, int row);

    /// <inheritdoc cref="BlockPacker{TFormat}.Decode"/>
    protected abstract void Decode(byte* source, int row, Span<float> values);

    private sealed class Of<TFormat> : BlockStrips where TFormat : struct, IBlockFormat
    {
        protected override WeightFormat Format => TFormat.Format;

        public override void Unpack(byte* blocks, int channels, float* panel, SimdLevel level)
        {
            switch (level)
            {
                case SimdLevel.Avx512:
                    BlockKernels<TFormat, Lanes16, Vector512<float>, Vector512<int>>.Unpack(blocks, channels, panel);
                    break;
                case SimdLevel.Avx2: BlockKernels<TFormat, Lanes8, Vector256<float>, Vector256<int>>.Unpack(blocks, channels, panel); break;
                default: BlockKernels<TFormat, Lanes1, float, int>.Unpack(blocks, channels, panel); break;
            }
        }

        protected override void Multiply(byte* blocks, float* x, int channels, float* y, SimdLevel level)
        {
            switch (level)
            {
                case SimdLevel.Avx512:
                    BlockKernels<TFormat, Lanes16, Vector512<float>, Vector512<int>>.Multiply(blocks, x, channels, y);
                    break;
                case SimdLevel.Avx2:
                    BlockKernels<TFormat, Lanes8, Vector256<float>, Vector256<int>>.Multiply(blocks, x, channels, y);
                    break;
                default: BlockKernels<TFormat, Lanes1, float, int>.Multiply(blocks, x, channels, y); break;
            }
        }

        protected override void Pack(ReadOnlySpan<byte> block, byte* target, int row) => BlockPacker<TFormat>.Pack(block, target, row);

        protected override void Decode(byte* source, int row, Span<float> values) => BlockPacker<TFormat>.Decode(source, row, values);
    }
}
