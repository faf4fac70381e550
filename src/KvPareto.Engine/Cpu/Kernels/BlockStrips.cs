using System.Runtime.Intrinsics;
using KvPareto.Engine.Formats.Gguf;

namespace KvPareto.Engine.Cpu.Kernels;

/// <summary>Walks strips of ggml's blocks with the kernels for a format and a <see cref="SimdLevel"/>; brings rows in and back.</summary>
internal static unsafe class BlockStrips
{
    /// <summary>y [32] = strip · x [K].</summary>
    public static void Multiply(CpuWeight weight, int strip, float* x, float* y, SimdLevel level)
    {
        for (var k = 0; k < weight.ColumnCount; k += Strip.BlockChannels)
        {
            var blocks = (byte*)weight.BlockAt(strip, k).Address;
            var channels = Math.Min(Strip.BlockChannels, weight.ColumnCount - k);
            switch (level)
            {
                case SimdLevel.Avx512: Kernels<Lanes16, Vector512<float>, Vector512<int>>.Multiply(weight.Format, blocks, x + k, channels, y, k > 0); break;
                case SimdLevel.Avx2: Kernels<Lanes8, Vector256<float>, Vector256<int>>.Multiply(weight.Format, blocks, x + k, channels, y, k > 0); break;
                default: Kernels<Lanes1, float, int>.Multiply(weight.Format, blocks, x + k, channels, y, k > 0); break;
            }
        }
    }

    /// <summary>Writes channels of a strip as f32 into 32 columns of a panel.</summary>
    public static void Unpack(WeightFormat format, byte* blocks, int channels, float* panel, SimdLevel level)
    {
        switch (level)
        {
            case SimdLevel.Avx512: Kernels<Lanes16, Vector512<float>, Vector512<int>>.Unpack(format, blocks, channels, panel); break;
            case SimdLevel.Avx2: Kernels<Lanes8, Vector256<float>, Vector256<int>>.Unpack(format, blocks, channels, panel); break;
            default: Kernels<Lanes1, float, int>.Unpack(format, blocks, channels, panel); break;
        }
    }

    /// <summary>Transposes one strip of <paramref name="weight"/> from its rows in <paramref name="host"/>.</summary>
    public static void Pack(HostWeight host, CpuWeight weight, int strip)
    {
        var shape = BlockShape.Of(host.Format);
        var (rowBytes, halves) = (shape.RowBytes(host.ColumnCount), Halves(host.Format));
        var target = weight.StripAt(strip);
        for (var r = 0; r < Strip.Rows; r++)
        {
            var row = strip * Strip.Rows + r;
            var source = row < host.RowCount ? host.Data + row * rowBytes : null;
            for (nint b = 0; b < rowBytes; b++) target[PlaceOf(b, r, shape.ByteCount, halves)] = source is null ? (byte)0 : source[b];
        }
    }

    /// <summary>Reads a row of a weight in strips as f32.</summary>
    public static void Unpack(CpuWeight weight, int row, float* destination)
    {
        var shape = BlockShape.Of(weight.Format);
        var halves = Halves(weight.Format);
        var source = weight.StripAt(row / Strip.Rows);
        var block = stackalloc byte[shape.ByteCount];
        for (var k = 0; k < weight.ColumnCount; k += shape.Elements, source += shape.ByteCount * Strip.Rows)
        {
            for (var b = 0; b < shape.ByteCount; b++) block[b] = source[PlaceOf(b, row % Strip.Rows, shape.ByteCount, halves)];
            BlockCodec.Decode(weight.Format, block, new(destination + k, shape.Elements));
        }
    }

    // The bytes of a block that are f16 fields.
    private static (int From, int To) Halves(WeightFormat format) => format switch
    {
        WeightFormat.Q41 or WeightFormat.Q51 or WeightFormat.Q4K or WeightFormat.Q5K => (0, 4),
        WeightFormat.Q6K => (208, 210),
        _ => (0, 2),
    };

    private static nint PlaceOf(nint at, int row, int blockBytes, (int From, int To) halves)
    {
        var inBlock = at % blockBytes;
        return inBlock >= halves.From && inBlock < halves.To
            ? (at - inBlock % 2) * Strip.Rows + 2 * row + inBlock % 2
            : at * Strip.Rows + row;
    }

    private static class Kernels<TLanes, TFloat, TInt>
        where TLanes : ILanes<TFloat, TInt>
        where TFloat : unmanaged
        where TInt : unmanaged
    {
        public static void Multiply(WeightFormat format, byte* blocks, float* x, int channels, float* y, bool accumulate)
        {
            switch (format)
            {
                case WeightFormat.Q40: BlockKernels<Q40Blocks, TLanes, TFloat, TInt>.Multiply(blocks, x, channels, y, accumulate); break;
                case WeightFormat.Q41: BlockKernels<Q41Blocks, TLanes, TFloat, TInt>.Multiply(blocks, x, channels, y, accumulate); break;
                case WeightFormat.Q50: BlockKernels<Q50Blocks, TLanes, TFloat, TInt>.Multiply(blocks, x, channels, y, accumulate); break;
                case WeightFormat.Q51: BlockKernels<Q51Blocks, TLanes, TFloat, TInt>.Multiply(blocks, x, channels, y, accumulate); break;
                case WeightFormat.Q80: BlockKernels<Q80Blocks, TLanes, TFloat, TInt>.Multiply(blocks, x, channels, y, accumulate); break;
                case WeightFormat.Q4K: BlockKernels<Q4KBlocks, TLanes, TFloat, TInt>.Multiply(blocks, x, channels, y, accumulate); break;
                case WeightFormat.Q5K: BlockKernels<Q5KBlocks, TLanes, TFloat, TInt>.Multiply(blocks, x, channels, y, accumulate); break;
                default: BlockKernels<Q6KBlocks, TLanes, TFloat, TInt>.Multiply(blocks, x, channels, y, accumulate); break;
            }
        }

        public static void Unpack(WeightFormat format, byte* blocks, int channels, float* panel)
        {
            switch (format)
            {
                case WeightFormat.Q40: BlockKernels<Q40Blocks, TLanes, TFloat, TInt>.Unpack(blocks, channels, panel); break;
                case WeightFormat.Q41: BlockKernels<Q41Blocks, TLanes, TFloat, TInt>.Unpack(blocks, channels, panel); break;
                case WeightFormat.Q50: BlockKernels<Q50Blocks, TLanes, TFloat, TInt>.Unpack(blocks, channels, panel); break;
                case WeightFormat.Q51: BlockKernels<Q51Blocks, TLanes, TFloat, TInt>.Unpack(blocks, channels, panel); break;
                case WeightFormat.Q80: BlockKernels<Q80Blocks, TLanes, TFloat, TInt>.Unpack(blocks, channels, panel); break;
                case WeightFormat.Q4K: BlockKernels<Q4KBlocks, TLanes, TFloat, TInt>.Unpack(blocks, channels, panel); break;
                case WeightFormat.Q5K: BlockKernels<Q5KBlocks, TLanes, TFloat, TInt>.Unpack(blocks, channels, panel); break;
                default: BlockKernels<Q6KBlocks, TLanes, TFloat, TInt>.Unpack(blocks, channels, panel); break;
            }
        }
    }
}
