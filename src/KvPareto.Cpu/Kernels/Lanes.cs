using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using KvPareto.Engine.Cache;
using KvPareto.Engine.Weights;

namespace KvPareto.Cpu.Kernels;

/// <summary>
/// A vector width as a type argument: cache and block kernels are written once over these operations and compiled for 16 lanes
/// (AVX-512), 8 (AVX2) and 1 (everywhere, and the twin that the others are tested against).
/// </summary>
/// <typeparam name="TFloat">Vector of floats.</typeparam>
/// <typeparam name="TInt">Vector of as many 32-bit integers.</typeparam>
internal unsafe interface ILanes<TFloat, TInt>
    where TFloat : unmanaged
    where TInt : unmanaged
{
    static abstract int Width { get; }
    static abstract TFloat Zero { get; }
    static abstract TFloat Broadcast(float value);

    /// <summary>One value in the first half of the lanes, another in the second; a single lane has the first.</summary>
    static abstract TFloat Halves(float first, float second);

    /// <summary>Sum of the lanes.</summary>
    static abstract float Sum(TFloat value);
    static abstract TFloat Load(float* source);
    static abstract void Store(TFloat value, float* destination);
    static abstract TFloat Add(TFloat a, TFloat b);

    /// <summary>a·b + c, rounded once.</summary>
    static abstract TFloat MultiplyAdd(TFloat a, TFloat b, TFloat c);

    static abstract TFloat Multiply(TFloat a, TFloat b);

    /// <summary>Values of f16 numbers, infinities and NaN too.</summary>
    static abstract TFloat LoadAnyHalf(ushort* source);

    static abstract TInt LoadIntegers(int* source);

    /// <summary>Bytes widened to integers with their sign.</summary>
    static abstract TInt LoadSignedBytes(byte* source);
    static abstract TInt ShiftLeft(TInt value, int count);
    static abstract TInt And(TInt value, int mask);
    static abstract TInt Or(TInt a, TInt b);

    /// <summary>The bits of <paramref name="a"/> where <paramref name="mask"/> has ones, of <paramref name="b"/> elsewhere.</summary>
    static abstract TInt Select(int mask, TInt a, TInt b);
    static abstract TFloat ToSingle(TInt value);

    /// <summary>Words of 16 bits widened to integers.</summary>
    static abstract TInt LoadShorts(ushort* source);

    /// <summary>What the low four bits of each lane stand for in IQ4_NL and IQ4_XS.</summary>
    static abstract TFloat IQ4Value(TInt value);

    /// <summary>The low <paramref name="bits"/> (2, 4 or 5) bits of each lane as a float.</summary>
    static abstract TFloat Unsigned(TInt value, int bits);

    /// <summary>Values of f16 numbers; infinities and NaN are not expected.</summary>
    static abstract TFloat LoadHalf(ushort* source);

    /// <summary>Bytes widened to integers.</summary>
    static abstract TInt LoadBytes(byte* source);
    static abstract TInt ShiftRight(TInt value, int count);

    /// <summary>The low <paramref name="bits"/> (2, 3, 4, 5, 6 or 8) bits of each lane less 2^(bits−1): a signed code as a float. At 8 bits
    /// no higher bit may be set.</summary>
    static abstract TFloat Code(TInt value, int bits);

    /// <summary>Scales and offsets of a row of <see cref="GroupMeta"/>s held as two arrays.</summary>
    static abstract (TFloat Scale, TFloat Offset) Groups(ushort* scaleBits, short* zeros);

    /// <summary>Scales and offsets of a row of <see cref="GroupMeta"/>s as they are.</summary>
    static abstract (TFloat Scale, TFloat Offset) Groups(GroupMeta* metas);

    /// <summary>a0 b0 a1 b1 …: the first and the second half of the lanes.</summary>
    static abstract (TFloat First, TFloat Second) Interleave(TFloat a, TFloat b);
}

/// <summary>One lane.</summary>
internal readonly unsafe struct Lanes1 : ILanes<float, int>
{
    public static int Width
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => 1;
    }

    public static float Zero => 0;
    public static float Broadcast(float value) => value;
    public static float Halves(float first, float second) => first;
    public static float Sum(float value) => value;
    public static float Load(float* source) => *source;
    public static void Store(float value, float* destination) => *destination = value;
    public static float Add(float a, float b) => a + b;
    public static float MultiplyAdd(float a, float b, float c) => MathF.FusedMultiplyAdd(a, b, c);
    public static float Multiply(float a, float b) => a * b;
    public static float LoadAnyHalf(ushort* source) => (float)BitConverter.UInt16BitsToHalf(*source);
    public static int LoadIntegers(int* source) => *source;
    public static int LoadSignedBytes(byte* source) => (sbyte)*source;
    public static int ShiftLeft(int value, int count) => value << count;
    public static int And(int value, int mask) => value & mask;
    public static int Or(int a, int b) => a | b;
    public static int Select(int mask, int a, int b) => (a & mask) | (b & ~mask);
    public static float ToSingle(int value) => value;
    public static float Unsigned(int value, int bits) => value & ((1 << bits) - 1);
    public static float LoadHalf(ushort* source) => (float)BitConverter.UInt16BitsToHalf(*source);
    public static int LoadBytes(byte* source) => *source;
    public static int LoadShorts(ushort* source) => *source;
    public static float IQ4Value(int value) => BlockCodec.IQ4Values[value & 15];
    public static int ShiftRight(int value, int count) => value >>> count;
    public static float Code(int value, int bits) => (value & ((1 << bits) - 1)) - (1 << (bits - 1));

    public static (float Scale, float Offset) Groups(ushort* scaleBits, short* zeros)
    {
        var meta = new GroupMeta(*scaleBits, *zeros);
        return (meta.Scale, meta.Offset);
    }

    public static (float Scale, float Offset) Groups(GroupMeta* metas) => (metas->Scale, metas->Offset);

    public static (float First, float Second) Interleave(float a, float b) => (a, b);
}

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
    public static Vector256<float> MultiplyAdd(Vector256<float> a, Vector256<float> b, Vector256<float> c) => Fma.MultiplyAdd(a, b, c);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Multiply(Vector256<float> a, Vector256<float> b) => a * b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> LoadAnyHalf(ushort* source) => Half16.Widen(Avx2.ConvertToVector256Int32((short*)source));

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
        return Groups(Avx2.ConvertToVector256Int32((short*)scaleBits), Avx2.ConvertToVector256Int32(zeros));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (Vector256<float> Scale, Vector256<float> Offset) Groups(GroupMeta* metas)
    {
        var both = Vector256.Load((int*)metas);
        return Groups(both << 16 >> 16, both >> 16);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector256<float> Scale, Vector256<float> Offset) Groups(Vector256<int> bits, Vector256<int> zero)
    {
        var scale = HalfToSingle(bits);
        var offset = -Vector256.ConvertToSingle(zero) * scale;
        var constant = Vector256.LessThan(bits, Vector256<int>.Zero);
        if (constant == Vector256<int>.Zero) return (scale, offset);
        var magnitude = (((bits & Vector256.Create(0x7FFF)) << 16) | (zero & Vector256.Create(0xFFFF))).AsSingle();
        return (Vector256.ConditionalSelect(constant.AsSingle(), magnitude, scale), Vector256.AndNot(offset, constant.AsSingle()));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (Vector256<float> First, Vector256<float> Second) Interleave(Vector256<float> a, Vector256<float> b)
    {
        var low = Avx.UnpackLow(a, b);
        var high = Avx.UnpackHigh(a, b);
        return (Avx.Permute2x128(low, high, 0x20), Avx.Permute2x128(low, high, 0x31));
    }

    // The sign-extended f16 shifted into an f32's place is the value times 2^-112, subnormals included.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> HalfToSingle(Vector256<int> signExtended) =>
        ((signExtended << 13) & Vector256.Create(unchecked((int)0x8FFFE000))).AsSingle() * Vector256.Create(5.192296858534828e33f);
}

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
    public static Vector512<float> MultiplyAdd(Vector512<float> a, Vector512<float> b, Vector512<float> c) =>
        Avx512F.FusedMultiplyAdd(a, b, c);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Multiply(Vector512<float> a, Vector512<float> b) => a * b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> LoadAnyHalf(ushort* source) =>
        Half16.Widen(Avx512F.ConvertToVector512Int32(Vector256.Load((short*)source)));

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
            Avx512F.ConvertToVector512Int32(Vector256.Load((short*)scaleBits)), Avx512F.ConvertToVector512Int32(Vector256.Load(zeros)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (Vector512<float> Scale, Vector512<float> Offset) Groups(GroupMeta* metas)
    {
        var both = Vector512.Load((int*)metas);
        return Groups(both << 16 >> 16, both >> 16);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector512<float> Scale, Vector512<float> Offset) Groups(Vector512<int> bits, Vector512<int> zero)
    {
        var scale = HalfToSingle(bits);
        var offset = -Vector512.ConvertToSingle(zero) * scale;
        var constant = Vector512.LessThan(bits, Vector512<int>.Zero);
        if (constant == Vector512<int>.Zero) return (scale, offset);
        var magnitude = (((bits & Vector512.Create(0x7FFF)) << 16) | (zero & Vector512.Create(0xFFFF))).AsSingle();
        return (Vector512.ConditionalSelect(constant.AsSingle(), magnitude, scale), Vector512.AndNot(offset, constant.AsSingle()));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (Vector512<float> First, Vector512<float> Second) Interleave(Vector512<float> a, Vector512<float> b) => (
        Avx512F.PermuteVar16x32x2(a, Vector512.Create(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23), b),
        Avx512F.PermuteVar16x32x2(a, Vector512.Create(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31), b));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> HalfToSingle(Vector512<int> signExtended) =>
        ((signExtended << 13) & Vector512.Create(unchecked((int)0x8FFFE000))).AsSingle() * Vector512.Create(5.192296858534828e33f);
}
