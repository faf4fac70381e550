using KvPareto.Engine.Cache;

namespace KvPareto.Cpu.Kernels;

/// <summary>
/// A vector width as a type argument: kernels are written once over these operations and compiled for 16 lanes
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
    static abstract TFloat Max(TFloat a, TFloat b);

    /// <summary>Largest of the lanes.</summary>
    static abstract float Largest(TFloat value);

    /// <summary>To the nearest whole number, ties to even.</summary>
    static abstract TFloat Round(TFloat value);

    /// <summary>2 to the power of whole numbers from −126 to 127.</summary>
    static abstract TFloat PowerOfTwo(TFloat exponent);

    /// <summary>Zero where <paramref name="x"/> is below <paramref name="limit"/>, <paramref name="value"/> elsewhere.</summary>
    static abstract TFloat ZeroBelow(float limit, TFloat x, TFloat value);

    /// <summary>a·b + c, rounded once.</summary>
    static abstract TFloat MultiplyAdd(TFloat a, TFloat b, TFloat c);

    static abstract TFloat Multiply(TFloat a, TFloat b);

    /// <summary>Values of f16 numbers, infinities and NaN too.</summary>
    static abstract TFloat LoadAnyHalf(ushort* source);

    /// <summary>Values of the f16 numbers in the low (half 0) or high words of each lane, infinities and NaN too.</summary>
    static abstract TFloat AnyHalf(TInt words, int half);

    /// <summary>The same bits.</summary>
    static abstract TFloat AsSingle(TInt value);

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

    /// <summary>What decodes codes of 4 or 8 bits, held in a register by a loop (a constant would be read each time).</summary>
    static abstract TFloat Decoder(int bits);

    /// <summary><see cref="Code"/> of 4 or 8 bits, whatever the higher ones are, with their <see cref="Decoder"/>.</summary>
    static abstract TFloat Decode(TInt value, int bits, TFloat decoder);

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
