using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using KvPareto.Engine.Cache;

namespace KvPareto.Cpu.Kernels;

/// <summary>Sixteen lanes: AVX-512.</summary>
internal readonly unsafe struct Lanes16 : ILanes<Vector512<float>, Vector512<int>>
{
    public static bool IsSupported => Vector512.IsHardwareAccelerated && Avx512F.IsSupported;

    public static int Width
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => 16;
    }

    public static Vector512<float> Zero
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Vector512<float>.Zero;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Broadcast(float value) => Vector512.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Halves(float first, float second) => Vector512.Create(Vector256.Create(first), Vector256.Create(second));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Vector512<float> value) => Vector512.Sum(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load(float* source) => Vector512.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector512<float> value, float* destination) => value.Store(destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Add(Vector512<float> a, Vector512<float> b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Max(Vector512<float> a, Vector512<float> b) => Vector512.Max(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Largest(Vector512<float> value)
    {
        var largest = value[0];
        for (var lane = 1; lane < Width; lane++) largest = MathF.Max(largest, value[lane]);
        return largest;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Round(Vector512<float> value) => Vector512.Round(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> PowerOfTwo(Vector512<float> exponent) =>
        ((Vector512.ConvertToInt32Native(exponent) + Vector512.Create(127)) << 23).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> ZeroBelow(float limit, Vector512<float> x, Vector512<float> value) =>
        Vector512.ConditionalSelect(Vector512.LessThan(x, Vector512.Create(limit)), Vector512<float>.Zero, value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> MultiplyAdd(Vector512<float> a, Vector512<float> b, Vector512<float> c) =>
        Avx512F.FusedMultiplyAdd(a, b, c);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Multiply(Vector512<float> a, Vector512<float> b) => a * b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> LoadAnyHalf(ushort* source) =>
        AnyHalfToSingle(Avx512F.ConvertToVector512Int32(Vector256.Load((short*)source)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> AnyHalf(Vector512<int> words, int half) => AnyHalfToSingle(half == 0 ? words << 16 >> 16 : words >> 16);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> AsSingle(Vector512<int> value) => value.AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> LoadIntegers(int* source) => Vector512.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> LoadSignedBytes(byte* source) => Avx512F.ConvertToVector512Int32(Vector128.Load((sbyte*)source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> ShiftLeft(Vector512<int> value, int count) => value << count;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> And(Vector512<int> value, int mask) => value & Vector512.Create(mask);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> Or(Vector512<int> a, Vector512<int> b) => a | b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> Select(int mask, Vector512<int> a, Vector512<int> b) =>
        Vector512.ConditionalSelect(Vector512.Create(mask), a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> ToSingle(Vector512<int> value) => Vector512.ConvertToSingle(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Unsigned(Vector512<int> value, int bits) => bits == 4
        ? Avx512F.PermuteVar16x32(Vector512.Create(0f, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15), value)
        : Vector512.ConvertToSingle(value & Vector512.Create((1 << bits) - 1));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Decoder(int bits) => Vector512.Load(bits == 4 ? Decoders.Nibbles : Decoders.ByteMasks);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Decode(Vector512<int> value, int bits, Vector512<float> decoder) =>
        bits == 4
            ? Avx512F.PermuteVar16x32(decoder, value)
            : Vector512.ConvertToSingle((value & decoder.AsInt32()) - Vector512.Create(1 << (bits - 1)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> LoadHalf(ushort* source) =>
        HalfToSingle(Avx512F.ConvertToVector512Int32(Vector256.Load((short*)source)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> LoadBytes(byte* source) => Avx512F.ConvertToVector512Int32(Vector128.Load(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> LoadShorts(ushort* source) => Avx512F.ConvertToVector512Int32(Vector256.Load(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> IQ4Value(Vector512<int> value) =>
        Avx512F.PermuteVar16x32(Vector512.Create(-127f, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113), value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> ShiftRight(Vector512<int> value, int count) => Vector512.ShiftRightLogical(value, count);

    // vpermps looks only at the low 4 bits of an index: no masking, and at 2 bits a table of period 4.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Code(Vector512<int> value, int bits) => bits switch
    {
        4 => Avx512F.PermuteVar16x32(Vector512.Create(-8f, -7, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7), value),
        2 => Avx512F.PermuteVar16x32(Vector512.Create(-2f, -1, 0, 1, -2, -1, 0, 1, -2, -1, 0, 1, -2, -1, 0, 1), value),
        8 => Vector512.ConvertToSingle(value - Vector512.Create(128)),
        _ => Vector512.ConvertToSingle((value & Vector512.Create((1 << bits) - 1)) - Vector512.Create(1 << (bits - 1))),
    };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (Vector512<float> Scale, Vector512<float> Offset) Groups(ushort* scaleBits, short* zeros)
    {
        return Groups(
            Avx512F.ConvertToVector512Int32(Vector256.Load(scaleBits)) << 16, Avx512F.ConvertToVector512Int32(Vector256.Load(zeros)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (Vector512<float> Scale, Vector512<float> Offset) Groups(GroupMeta* metas)
    {
        var both = Vector512.Load((int*)metas);
        return Groups(both << 16, both >> 16);
    }

    // bits: the f16 scale in the upper half, whose sign tells a constant group.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector512<float> Scale, Vector512<float> Offset) Groups(Vector512<int> bits, Vector512<int> zero)
    {
        var scale = (bits >>> 3).AsSingle() * Vector512.Create(HalfBits.Scale);
        var offset = -Vector512.ConvertToSingle(zero) * scale;
        if (bits.ExtractMostSignificantBits() == 0) return (scale, offset);
        var constant = bits >> 31;
        var magnitude = ((bits & Vector512.Create(0x7FFF0000)) | (zero & Vector512.Create(0xFFFF))).AsSingle();
        return (Vector512.ConditionalSelect(constant.AsSingle(), magnitude, scale), Vector512.AndNot(offset, constant.AsSingle()));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (Vector512<float> First, Vector512<float> Second) Interleave(Vector512<float> a, Vector512<float> b) => (
        Avx512F.PermuteVar16x32x2(a, Vector512.Create(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23), b),
        Avx512F.PermuteVar16x32x2(a, Vector512.Create(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31), b));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> HalfToSingle(Vector512<int> signExtended) =>
        ((signExtended << 13) & Vector512.Create(HalfBits.Placed)).AsSingle() * Vector512.Create(HalfBits.Scale);

    // Infinities and NaN, whose exponent has only ones, get theirs back.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> AnyHalfToSingle(Vector512<int> signExtended)
    {
        var placed = (signExtended << 13) & Vector512.Create(HalfBits.Placed);
        var special = Vector512.Equals(placed & Vector512.Create(HalfBits.Exponent), Vector512.Create(HalfBits.Exponent));
        var value = placed.AsSingle() * Vector512.Create(HalfBits.Scale);
        return (value.AsInt32() | (special & Vector512.Create(HalfBits.SingleExponent))).AsSingle();
    }
}
