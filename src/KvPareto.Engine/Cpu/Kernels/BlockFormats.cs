using System.Runtime.CompilerServices;

namespace KvPareto.Engine.Cpu.Kernels;

/// <summary>
/// How ggml's blocks of 32 rows lie in a strip, and what they decode to, a vector of rows at a time. A block of B bytes is B
/// planes of 32 bytes, plane b with byte b of each row; of an f16 field the two planes together are 32 halves. So a strip has the
/// file's own bits, only transposed. A run is neighbouring elements whose scale, and whose codes' place in their bytes, is the
/// same. Element i of a run is scale·code, plus the offset where the format has one, each rounded by itself
/// (<see cref="Formats.Gguf.BlockCodec"/>).
/// </summary>
internal unsafe interface IBlockFormat
{
    static abstract WeightFormat Format { get; }

    /// <summary>Elements of a run; 32 or 256 elements of a block are a whole number of runs.</summary>
    static abstract int RunLength { get; }

    static abstract bool HasOffset { get; }

    /// <summary>Scale and offset of a run.</summary>
    /// <param name="block">First plane.</param>
    /// <param name="row">First row of the vector.</param>
    /// <param name="run">Run within the block.</param>
    static abstract (TFloat Scale, TFloat Offset) Run<TLanes, TFloat, TInt>(byte* block, int row, int run)
        where TLanes : ILanes<TFloat, TInt>
        where TFloat : unmanaged
        where TInt : unmanaged;

    /// <summary>Codes of element <paramref name="i"/> of a run, as the scale multiplies them.</summary>
    static abstract TFloat Code<TLanes, TFloat, TInt>(byte* block, int row, int run, int i)
        where TLanes : ILanes<TFloat, TInt>
        where TFloat : unmanaged
        where TInt : unmanaged;
}

/// <summary>The fields that formats share.</summary>
/// <typeparam name="TLanes">Vector width.</typeparam>
/// <typeparam name="TFloat">Vector of floats.</typeparam>
/// <typeparam name="TInt">Vector of integers.</typeparam>
internal static unsafe class BlockFields<TLanes, TFloat, TInt>
    where TLanes : ILanes<TFloat, TInt>
    where TFloat : unmanaged
    where TInt : unmanaged
{
    /// <summary>Byte <paramref name="at"/> of the blocks.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TInt Bytes(byte* block, int row, int at) => TLanes.LoadBytes(block + at * Strip.Rows + row);

    /// <summary>The f16 field at byte <paramref name="at"/> of the blocks.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TFloat Half(byte* block, int row, int at) => TLanes.LoadAnyHalf((ushort*)(block + at * Strip.Rows) + row);

    /// <summary>The low or high nibbles of byte <paramref name="at"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TInt Nibbles(byte* block, int row, int at, int high) => TLanes.And(TLanes.ShiftRight(Bytes(block, row, at), 4 * high), 15);

    /// <summary>Nibbles with bit <paramref name="bit"/> of another byte above them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TInt FiveBits(byte* block, int row, int at, int high, int fifthAt, int bit) => TLanes.Or(
        Nibbles(block, row, at, high), TLanes.And(TLanes.ShiftRight(TLanes.ShiftLeft(Bytes(block, row, fifthAt), 4), bit), 16));

    /// <summary>An integer less a constant, as a float.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TFloat Less(TInt value, float constant) => TLanes.Add(TLanes.ToSingle(value), TLanes.Broadcast(-constant));

    /// <summary>Scale and minimum of a run of 32 elements in Q4_K and Q5_K.</summary>
    public static (TFloat Scale, TFloat Offset) KRun(byte* block, int row, int run)
    {
        const int Scales = 4;
        TInt scale, minimum;
        if (run < 4)
        {
            scale = TLanes.And(Bytes(block, row, Scales + run), 63);
            minimum = TLanes.And(Bytes(block, row, Scales + 4 + run), 63);
        }
        else
        {
            var low = Bytes(block, row, Scales + 4 + run);
            scale = TLanes.Or(TLanes.And(low, 15), TLanes.ShiftLeft(TLanes.ShiftRight(Bytes(block, row, Scales + run - 4), 6), 4));
            minimum = TLanes.Or(TLanes.ShiftRight(low, 4), TLanes.ShiftLeft(TLanes.ShiftRight(Bytes(block, row, Scales + run), 6), 4));
        }
        var factor = TLanes.Multiply(Half(block, row, 0), TLanes.ToSingle(scale));
        var offset = TLanes.Multiply(Half(block, row, 2), TLanes.ToSingle(minimum));
        return (factor, TLanes.Multiply(offset, TLanes.Broadcast(-1)));
    }
}
