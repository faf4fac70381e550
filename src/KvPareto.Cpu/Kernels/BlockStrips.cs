using KvPareto.Engine.Seam;
using KvPareto.Engine.Weights;

namespace KvPareto.Cpu.Kernels;

/// <summary>What is done with strips of one of ggml's block formats.</summary>
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

    /// <summary>The kernels at a vector width.</summary>
    public abstract StripKernel Kernel<TLanes, TFloat, TInt>()
        where TLanes : ILanes<TFloat, TInt>
        where TFloat : unmanaged
        where TInt : unmanaged;

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

    /// <inheritdoc cref="BlockPacker{TFormat}.Pack"/>
    protected abstract void Pack(ReadOnlySpan<byte> block, byte* target, int row);

    /// <inheritdoc cref="BlockPacker{TFormat}.Decode"/>
    protected abstract void Decode(byte* source, int row, Span<float> values);

    private sealed class Of<TFormat> : BlockStrips where TFormat : struct, IBlockFormat
    {
        protected override WeightFormat Format => TFormat.Format;

        public override StripKernel Kernel<TLanes, TFloat, TInt>() => BlockKernels<TFormat, TLanes, TFloat, TInt>.Kernel;

        protected override void Pack(ReadOnlySpan<byte> block, byte* target, int row) => BlockPacker<TFormat>.Pack(block, target, row);

        protected override void Decode(byte* source, int row, Span<float> values) => BlockPacker<TFormat>.Decode(source, row, values);
    }
}
