using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace KvPareto.Cpu.Kernels;

/// <summary>How the 32 rows of one channel lie in a strip (<see cref="Strip"/>) of unscaled elements.</summary>
internal unsafe interface IElementFormat
{
    /// <summary>Bytes of a line: one channel.</summary>
    static abstract int LineBytes { get; }

    /// <summary>The element of row <paramref name="row"/> (0 … 31).</summary>
    static abstract float Load(byte* line, int row);

    /// <summary>Rows 8·<paramref name="part"/> … + 7 and 16 + 8·<paramref name="part"/> … + 7; part 0 or 1.</summary>
    static abstract (Vector256<float> Low, Vector256<float> High) Load256(byte* line, int part);

    /// <summary>Rows 0 … 15 and 16 … 31.</summary>
    static abstract (Vector512<float> Low, Vector512<float> High) Load512(byte* line);
}

/// <summary>IEEE binary32 elements.</summary>
internal readonly unsafe struct F32Elements : IElementFormat
{
    public static int LineBytes => Strip.Rows * 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Load(byte* line, int row) => ((float*)line)[row];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (Vector256<float> Low, Vector256<float> High) Load256(byte* line, int part) =>
        (Vector256.Load((float*)line + 8 * part), Vector256.Load((float*)line + 16 + 8 * part));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (Vector512<float> Low, Vector512<float> High) Load512(byte* line) =>
        (Vector512.Load((float*)line), Vector512.Load((float*)line + 16));
}

/// <summary>bfloat16 elements: the upper half of a binary32.</summary>
internal readonly unsafe struct BF16Elements : IElementFormat
{
    public static int LineBytes => Strip.Rows * 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Load(byte* line, int row)
    {
        var pair = ((uint*)line)[row & 15];
        return BitConverter.UInt32BitsToSingle(row < 16 ? pair << 16 : pair & 0xFFFF0000);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (Vector256<float> Low, Vector256<float> High) Load256(byte* line, int part)
    {
        var pairs = Vector256.Load((uint*)line + 8 * part);
        return ((pairs << 16).AsSingle(), (pairs & Vector256.Create(0xFFFF0000)).AsSingle());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (Vector512<float> Low, Vector512<float> High) Load512(byte* line)
    {
        var pairs = Vector512.Load((uint*)line);
        return ((pairs << 16).AsSingle(), (pairs & Vector512.Create(0xFFFF0000)).AsSingle());
    }
}

/// <summary>IEEE binary16 elements.</summary>
internal readonly unsafe struct F16Elements : IElementFormat
{
    public static int LineBytes => Strip.Rows * 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Load(byte* line, int row)
    {
        var pair = ((uint*)line)[row & 15];
        return (float)BitConverter.UInt16BitsToHalf((ushort)(row < 16 ? pair : pair >> 16));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (Vector256<float> Low, Vector256<float> High) Load256(byte* line, int part)
    {
        var pairs = Vector256.Load((int*)line + 8 * part);
        return (Half16.Widen(pairs << 16 >> 16), Half16.Widen(pairs >> 16));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (Vector512<float> Low, Vector512<float> High) Load512(byte* line)
    {
        var pairs = Vector512.Load((int*)line);
        return (Half16.Widen(pairs << 16 >> 16), Half16.Widen(pairs >> 16));
    }
}

/// <summary>
/// f16 to f32 in integer vectors, since .NET has no intrinsic for it: the half's exponent and fraction, moved into place, are its
/// value times 2^-112, subnormals included; infinity and NaN get their exponent back.
/// </summary>
internal static class Half16
{
    private const int MagnitudeAndSign = unchecked((int)0x8FFFE000);
    private const int LargestExponent = 0x0F800000;
    private const int Infinity = 0x7F800000;
    private const float Rebias = 5.192296858534828e33f; // 2^112

    /// <summary>Converts sign-extended halves.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Widen(Vector256<int> halves)
    {
        var placed = (halves << 13) & Vector256.Create(MagnitudeAndSign);
        var special = Vector256.Equals(placed & Vector256.Create(LargestExponent), Vector256.Create(LargestExponent));
        var value = placed.AsSingle() * Vector256.Create(Rebias);
        return (value.AsInt32() | (special & Vector256.Create(Infinity))).AsSingle();
    }

    /// <summary>Converts sign-extended halves.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Widen(Vector512<int> halves)
    {
        var placed = (halves << 13) & Vector512.Create(MagnitudeAndSign);
        var special = Vector512.Equals(placed & Vector512.Create(LargestExponent), Vector512.Create(LargestExponent));
        var value = placed.AsSingle() * Vector512.Create(Rebias);
        return (value.AsInt32() | (special & Vector512.Create(Infinity))).AsSingle();
    }
}
