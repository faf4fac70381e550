using System.Runtime.CompilerServices;

namespace KvPareto.Cpu.Kernels;

/// <summary>How the 32 rows of one channel lie in a strip (<see cref="Strip"/>) of unscaled elements.</summary>
internal unsafe interface IElementFormat
{
    /// <summary>Bytes of a line: one channel.</summary>
    static abstract int LineBytes { get; }

    /// <summary>As many rows as a vector has lanes from <paramref name="row"/> (below 16) on, and from 16 + <paramref name="row"/>
    /// on.</summary>
    static abstract (TFloat Low, TFloat High) Load<TLanes, TFloat, TInt>(byte* line, int row)
        where TLanes : ILanes<TFloat, TInt>
        where TFloat : unmanaged
        where TInt : unmanaged;
}

/// <summary>IEEE binary32 elements.</summary>
internal readonly unsafe struct F32Elements : IElementFormat
{
    public static int LineBytes
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Strip.Rows * 4;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (TFloat Low, TFloat High) Load<TLanes, TFloat, TInt>(byte* line, int row)
        where TLanes : ILanes<TFloat, TInt>
        where TFloat : unmanaged
        where TInt : unmanaged =>
        (TLanes.Load((float*)line + row), TLanes.Load((float*)line + Strip.HalfRows + row));
}

/// <summary>bfloat16 elements: the upper half of a binary32.</summary>
internal readonly unsafe struct BF16Elements : IElementFormat
{
    public static int LineBytes
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Strip.Rows * 2;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (TFloat Low, TFloat High) Load<TLanes, TFloat, TInt>(byte* line, int row)
        where TLanes : ILanes<TFloat, TInt>
        where TFloat : unmanaged
        where TInt : unmanaged
    {
        var pairs = TLanes.LoadIntegers((int*)line + row);
        return (TLanes.AsSingle(TLanes.ShiftLeft(pairs, 16)), TLanes.AsSingle(TLanes.And(pairs, unchecked((int)0xFFFF0000))));
    }
}

/// <summary>IEEE binary16 elements.</summary>
internal readonly unsafe struct F16Elements : IElementFormat
{
    public static int LineBytes
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Strip.Rows * 2;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (TFloat Low, TFloat High) Load<TLanes, TFloat, TInt>(byte* line, int row)
        where TLanes : ILanes<TFloat, TInt>
        where TFloat : unmanaged
        where TInt : unmanaged
    {
        var pairs = TLanes.LoadIntegers((int*)line + row);
        return (TLanes.AnyHalf(pairs, 0), TLanes.AnyHalf(pairs, 1));
    }
}
