using System.Runtime.CompilerServices;

namespace KvPareto.Cpu.Kernels;

/// <summary>The fields of scales that block formats share.</summary>
/// <typeparam name="TLanes">Vector width.</typeparam>
/// <typeparam name="TFloat">Vector of floats.</typeparam>
/// <typeparam name="TInt">Vector of integers.</typeparam>
internal static unsafe class BlockPlanes<TLanes, TFloat, TInt>
    where TLanes : ILanes<TFloat, TInt>
    where TFloat : unmanaged
    where TInt : unmanaged
{
    private const int KScales = 4;

    /// <summary>The f16 field that planes <paramref name="at"/> and the next hold.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TFloat Half(byte* planes, int row, int at) => TLanes.LoadAnyHalf((ushort*)(planes + at * Strip.Rows) + row);

    /// <summary>Scale and negated minimum of a sub-block in Q4_K and Q5_K.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (TFloat Scale, TFloat Offset) KSubBlock(byte* planes, int row, int subBlock)
    {
        TInt scale, minimum;
        if (subBlock < 4)
        {
            scale = TLanes.And(Bytes(planes, row, subBlock), 63);
            minimum = TLanes.And(Bytes(planes, row, 4 + subBlock), 63);
        }
        else
        {
            var low = Bytes(planes, row, 4 + subBlock);
            scale = TLanes.Select(15, low, TLanes.ShiftLeft(TLanes.ShiftRight(Bytes(planes, row, subBlock - 4), 6), 4));
            minimum = TLanes.Or(TLanes.ShiftRight(low, 4), TLanes.ShiftLeft(TLanes.ShiftRight(Bytes(planes, row, subBlock), 6), 4));
        }
        var offset = TLanes.Multiply(Half(planes, row, 2), TLanes.ToSingle(minimum));
        return (TLanes.Multiply(Half(planes, row, 0), TLanes.ToSingle(scale)), TLanes.Multiply(offset, TLanes.Broadcast(-1)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TInt Bytes(byte* planes, int row, int at) => TLanes.LoadBytes(planes + (KScales + at) * Strip.Rows + row);
}
