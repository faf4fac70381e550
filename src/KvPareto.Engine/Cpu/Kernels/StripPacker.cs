using System.Runtime.CompilerServices;
using KvPareto.Engine.Cache;

namespace KvPareto.Engine.Cpu.Kernels;

/// <summary>Brings row-major host weights into strips (<see cref="Strip"/>), and single rows of strips back.</summary>
internal static unsafe class StripPacker
{
    /// <summary>Writes the <paramref name="rowCount"/> rows (1 … 32) from <paramref name="row"/> on into <paramref name="strip"/>, zeros for those lacking.</summary>
    public static void Pack(HostWeight host, int row, int rowCount, byte* strip)
    {
        switch (host.Format)
        {
            case WeightFormat.F32: PackWords((uint*)host.Data + (long)row * host.ColumnCount, host.ColumnCount, rowCount, (uint*)strip); break;
            case WeightFormat.W4: PackCodes(host, row, rowCount, strip); break;
            default: PackHalves((ushort*)host.Data + (long)row * host.ColumnCount, host.ColumnCount, rowCount, (ushort*)strip); break;
        }
    }

    /// <summary>Reads row <paramref name="row"/> (0 … 31) of a strip as f32, exactly as <see cref="GroupCodec.Decode"/> has it.</summary>
    public static void Unpack(WeightFormat format, byte* strip, int row, int columns, int groupSize, float* destination)
    {
        switch (format)
        {
            case WeightFormat.F32: Unpack<F32Elements>(strip, row, columns, destination); break;
            case WeightFormat.BF16: Unpack<BF16Elements>(strip, row, columns, destination); break;
            case WeightFormat.F16: Unpack<F16Elements>(strip, row, columns, destination); break;
            default: UnpackCodes(strip, row, columns, groupSize, destination); break;
        }
    }

    private static void Unpack<TFormat>(byte* strip, int row, int columns, float* destination) where TFormat : struct, IElementFormat
    {
        for (nint k = 0; k < columns; k++) destination[k] = TFormat.Load(strip + k * TFormat.ChannelBytes, row);
    }

    private static void UnpackCodes(byte* strip, int row, int columns, int groupSize, float* destination)
    {
        for (var k = 0; k < columns; k += groupSize, strip += Strip.GroupBytes(groupSize))
            for (var i = 0; i < groupSize; i++)
                destination[k + i] = GroupCodec.Decode(ScalarKernels.Code(strip, i, row), ((GroupMeta*)strip)[row]);
    }

    private static void PackWords(uint* source, nint columns, int rowCount, uint* strip)
    {
        for (nint k = 0; k < columns; k++, strip += Strip.Rows)
        {
            for (var r = 0; r < rowCount; r++) strip[r] = Unsafe.ReadUnaligned<uint>(source + r * columns + k);
            for (var r = rowCount; r < Strip.Rows; r++) strip[r] = 0;
        }
    }

    private static void PackHalves(ushort* source, nint columns, int rowCount, ushort* strip)
    {
        for (nint k = 0; k < columns; k++, strip += Strip.Rows)
        {
            for (var r = 0; r < rowCount; r++) strip[Place(r)] = Unsafe.ReadUnaligned<ushort>(source + r * columns + k);
            for (var r = rowCount; r < Strip.Rows; r++) strip[Place(r)] = 0;
        }

        static int Place(int row) => row < 16 ? 2 * row : 2 * (row - 16) + 1;
    }

    private static void PackCodes(HostWeight host, int row, int rowCount, byte* strip)
    {
        nint rowBytes = host.ColumnCount / 2, groups = host.ColumnCount / host.GroupSize;
        for (nint g = 0; g < groups; g++)
        {
            for (var r = 0; r < Strip.Rows; r++)
                ((GroupMeta*)strip)[r] = r < rowCount ? Unsafe.ReadUnaligned<GroupMeta>(host.Groups + (row + r) * groups + g) : default;
            strip += Strip.MetaBytes;
            for (nint k = g * host.GroupSize; k < (g + 1) * host.GroupSize; k += Strip.QuadChannels, strip += Strip.QuadBytes)
            {
                var words = (uint*)strip;
                for (var r = 0; r < Strip.Rows; r++)
                {
                    if (r < 16) words[r] = 0;
                    if (r >= rowCount) continue;
                    var four = Unsafe.ReadUnaligned<ushort>(host.Data + (row + r) * rowBytes + k / 2);
                    words[r & 15] |= Spread((ushort)(four ^ 0x8888)) << (r < 16 ? 0 : 4);
                }
            }
        }
    }

    // Four nibbles to the even nibbles of a word; q − qmin became the two's complement of q by its top bit's flip.
    private static uint Spread(ushort nibbles)
    {
        var value = (uint)nibbles;
        value = (value | value << 8) & 0x00FF00FF;
        return (value | value << 4) & 0x0F0F0F0F;
    }
}
