using System.Runtime.CompilerServices;
using KvPareto.Engine.Cache;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Weights;

namespace KvPareto.Cpu.Kernels;

/// <summary>Brings row-major host weights into strips (<see cref="Strip"/>), and single rows back. Host addresses may be
/// unaligned.</summary>
internal static unsafe class StripPacker
{
    /// <summary>Writes one strip of <paramref name="weight"/> from its rows in <paramref name="host"/>.</summary>
    public static void Pack(HostWeight host, CpuWeight weight, int strip)
    {
        if (BlockShape.IsBlocks(host.Format))
        {
            BlockStrips.For(host.Format).Pack(host, weight, strip);
            return;
        }
        var row = strip * Strip.Rows;
        var rowCount = Math.Min(Strip.Rows, host.RowCount - row);
        for (var k = 0; k < host.ColumnCount; k += Strip.BlockChannels)
        {
            var channels = Math.Min(Strip.BlockChannels, host.ColumnCount - k);
            var (address, stride) = weight.BlockAt(strip, k);
            var first = (long)row * host.ColumnCount + k;
            switch (host.Format)
            {
                case WeightFormat.F32:
                    PackWords((uint*)host.Data + first, host.ColumnCount, rowCount, channels, (byte*)address, stride);
                    break;
                case WeightFormat.F16 or WeightFormat.BF16:
                    PackHalves((ushort*)host.Data + first, host.ColumnCount, rowCount, channels, (byte*)address, stride);
                    break;
                default: CodeStrips.For(host.Format).Pack(host, row, rowCount, k, channels, (byte*)address, stride); break;
            }
        }
    }

    /// <summary>Reads a row of a weight in strips as f32, codes exactly as <see cref="GroupCodec.Decode"/> has them.</summary>
    public static void Unpack(CpuWeight weight, int row, float* destination)
    {
        if (BlockShape.IsBlocks(weight.Format))
        {
            BlockStrips.For(weight.Format).DecodeRow(weight, row, destination);
            return;
        }
        var lane = row % Strip.Rows;
        for (var k = 0; k < weight.ColumnCount; k += Strip.BlockChannels)
        {
            var channels = Math.Min(Strip.BlockChannels, weight.ColumnCount - k);
            var (address, stride) = weight.BlockAt(row / Strip.Rows, k);
            switch (weight.Format)
            {
                case WeightFormat.F32: Unpack<F32Elements>((byte*)address, stride, lane, channels, destination + k); break;
                case WeightFormat.BF16: Unpack<BF16Elements>((byte*)address, stride, lane, channels, destination + k); break;
                case WeightFormat.F16: Unpack<F16Elements>((byte*)address, stride, lane, channels, destination + k); break;
                default:
                    CodeStrips.For(weight.Format).Decode((byte*)address, stride, lane, channels, weight.GroupSize, destination + k);
                    break;
            }
        }
    }

    /// <summary>Converts the one row of <paramref name="host"/> to f32.</summary>
    public static void CopyVector(HostWeight host, float* destination)
    {
        var bits = host.Format.CodeBits();
        if (bits == 0)
        {
            host.DecodeRows(0, new(destination, host.ColumnCount));
            return;
        }
        var codes = new ReadOnlySpan<byte>(host.Data, host.ColumnCount * bits / 8);
        for (var k = 0; k < host.ColumnCount; k++)
            destination[k] = GroupCodec.Decode(
                GroupCodec.Load(codes, k, bits), Unsafe.ReadUnaligned<GroupMeta>(host.Groups + k / host.GroupSize));
    }

    private static void Unpack<TFormat>(byte* lines, nint stride, int lane, int channels, float* destination)
        where TFormat : struct, IElementFormat
    {
        for (var k = 0; k < channels; k++, lines += stride)
        {
            var (low, high) = TFormat.Load<Lanes1, float, int>(lines, lane % Strip.HalfRows);
            destination[k] = lane < Strip.HalfRows ? low : high;
        }
    }

    private static void PackWords(uint* source, nint columns, int rowCount, int channels, byte* lines, nint stride)
    {
        for (var k = 0; k < channels; k++, source++, lines += stride)
            for (var r = 0; r < Strip.Rows; r++) ((uint*)lines)[r] = r < rowCount ? Unsafe.ReadUnaligned<uint>(source + r * columns) : 0;
    }

    private static void PackHalves(ushort* source, nint columns, int rowCount, int channels, byte* lines, nint stride)
    {
        for (var k = 0; k < channels; k++, source++, lines += stride)
            for (var r = 0; r < Strip.Rows; r++)
                ((ushort*)lines)[r % Strip.HalfRows * 2 + r / Strip.HalfRows] =
                    r < rowCount ? Unsafe.ReadUnaligned<ushort>(source + r * columns) : (ushort)0;
    }
}
