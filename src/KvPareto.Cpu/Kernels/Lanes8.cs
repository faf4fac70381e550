using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using KvPareto.Engine.Cache;

namespace KvPareto.Cpu.Kernels;

/// <summary>Eight lanes: AVX2 with FMA.</summary>
internal readonly unsafe struct Lanes8 : ILanes<Vector256<float>, Vector256<int>>
{
    public static bool IsSupported => Avx2.IsSupported && Fma.IsSupported;

    public static int Width
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => 8;
    }

    public static Vector256<float> Zero
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Vector256<float>.Zero;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Broadcast(float value) => Vector256.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Halves(float first, float second) => Vector256.Create(Vector128.Create(first), Vector128.Create(second));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Vector256<float> value) => Vector256.Sum(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Load(float* source) => Vector256.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector256<float> value, float* destination) => value.Store(destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Add(Vector256<float> a, Vector256<float> b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Max(Vector256<float> a, Vector256<float> b) => Vector256.Max(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Largest(Vector256<float> value)
    {
        var largest = value[0];
        for (var lane = 1; lane < Width; lane++) largest = MathF.Max(largest, value[lane]);
        return largest;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Round(Vector256<float> value) => Vector256.Round(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> PowerOfTwo(Vector256<float> exponent) =>
        ((Vector256.ConvertToInt32Native(exponent) + Vector256.Create(127)) << 23).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> ZeroBelow(float limit, Vector256<float> x, Vector256<float> value) =>
        Vector256.ConditionalSelect(Vector256.LessThan(x, Vector256.Create(limit)), Vector256<float>.Zero, value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> MultiplyAdd(Vector256<float> a, Vector256<float> b, Vector256<float> c) => Fma.MultiplyAdd(a, b, c);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Multiply(Vector256<float> a, Vector256<float> b) => a * b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> LoadAnyHalf(ushort* source) => AnyHalfToSingle(Avx2.ConvertToVector256Int32((short*)source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> AnyHalf(Vector256<int> words, int half) => AnyHalfToSingle(half == 0 ? words << 16 >> 16 : words >> 16);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> AsSingle(Vector256<int> value) => value.AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> LoadIntegers(int* source) => Vector256.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> LoadSignedBytes(byte* source) => Avx2.ConvertToVector256Int32((sbyte*)source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> ShiftLeft(Vector256<int> value, int count) => value << count;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> And(Vector256<int> value, int mask) => value & Vector256.Create(mask);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Or(Vector256<int> a, Vector256<int> b) => a | b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Select(int mask, Vector256<int> a, Vector256<int> b) =>
        Vector256.ConditionalSelect(Vector256.Create(mask), a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> ToSingle(Vector256<int> value) => Vector256.ConvertToSingle(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Unsigned(Vector256<int> value, int bits) =>
        Vector256.ConvertToSingle(value & Vector256.Create((1 << bits) - 1));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Decoder(int bits) => Vector256.Load(bits == 4 ? Decoders.NibbleMasks : Decoders.ByteMasks);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Decode(Vector256<int> value, int bits, Vector256<float> decoder) =>
        Vector256.ConvertToSingle((value & decoder.AsInt32()) - Vector256.Create(1 << (bits - 1)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> LoadHalf(ushort* source) => HalfToSingle(Avx2.ConvertToVector256Int32((short*)source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> LoadBytes(byte* source) => Avx2.ConvertToVector256Int32(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> LoadShorts(ushort* source) => Avx2.ConvertToVector256Int32(source);

    // The permutation looks at the low 3 bits of an index; the fourth, moved to the sign, chooses the half.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> IQ4Value(Vector256<int> value) => Avx.BlendVariable(
        Avx2.PermuteVar8x32(Vector256.Create(-127f, -104, -83, -65, -49, -35, -22, -10), value),
        Avx2.PermuteVar8x32(Vector256.Create(1f, 13, 25, 38, 53, 69, 89, 113), value),
        (value << 28).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> ShiftRight(Vector256<int> value, int count) => Vector256.ShiftRightLogical(value, count);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Code(Vector256<int> value, int bits) =>
        Vector256.ConvertToSingle((value & Vector256.Create((1 << bits) - 1)) - Vector256.Create(1 << (bits - 1)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (Vector256<float> Scale, Vector256<float> Offset) Groups(ushort* scaleBits, short* zeros)
    {
        return Groups(Avx2.ConvertToVector256Int32(scaleBits) << 16, Avx2.ConvertToVector256Int32(zeros));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (Vector256<float> Scale, Vector256<float> Offset) Groups(GroupMeta* metas)
    {
        var both = Vector256.Load((int*)metas);
        return Groups(both << 16, both >> 16);
    }

    // bits: the f16 scale in the upper half, whose sign tells a constant group.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector256<float> Scale, Vector256<float> Offset) Groups(Vector256<int> bits, Vector256<int> zero)
    {
        var scale = (bits >>> 3).AsSingle() * Vector256.Create(HalfBits.Scale);
        var offset = -Vector256.ConvertToSingle(zero) * scale;
        if (bits.ExtractMostSignificantBits() == 0) return (scale, offset);
        var constant = bits >> 31;
        var magnitude = ((bits & Vector256.Create(0x7FFF0000)) | (zero & Vector256.Create(0xFFFF))).AsSingle();
        return (Vector256.ConditionalSelect(constant.AsSingle(), magnitude, scale), Vector256.AndNot(offset, constant.AsSingle()));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (Vector256<float> First, Vector256<float> Second) Interleave(Vector256<float> a, Vector256<float> b)
    {
        var low = Avx.UnpackLow(a, b);
        var high = Avx.UnpackHigh(a, b);
        return (Avx.Permute2x128(low, high, 0x20), Avx.Permute2x128(low, high, 0x31));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> HalfToSingle(Vector256<int> signExtended) =>
        ((signExtended << 13) & Vector256.Create(HalfBits.Placed)).AsSingle() * Vector256.Create(HalfBits.Scale);

    // Infinities and NaN, whose exponent has only ones, get theirs back.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> AnyHalfToSingle(Vector256<int> signExtended)
    {
        var placed = (signExtended << 13) & Vector256.Create(HalfBits.Placed);
        var special = Vector256.Equals(placed & Vector256.Create(HalfBits.Exponent), Vector256.Create(HalfBits.Exponent));
        var value = placed.AsSingle() * Vector256.Create(HalfBits.Scale);
        return (value.AsInt32() | (special & Vector256.Create(HalfBits.SingleExponent))).AsSingle();
    }
}
