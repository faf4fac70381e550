using System.Runtime.CompilerServices;
using KvPareto.Engine.Cache;
using KvPareto.Engine.Weights;

namespace KvPareto.Cpu.Kernels;

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
    public static float Max(float a, float b) => MathF.Max(a, b);
    public static float Largest(float value) => value;
    public static float Round(float value) => MathF.Round(value);
    public static float PowerOfTwo(float exponent) => BitConverter.Int32BitsToSingle(((int)exponent + 127) << 23);
    public static float ZeroBelow(float limit, float x, float value) => x < limit ? 0 : value;
    public static float MultiplyAdd(float a, float b, float c) => MathF.FusedMultiplyAdd(a, b, c);
    public static float Multiply(float a, float b) => a * b;
    public static float LoadAnyHalf(ushort* source) => (float)BitConverter.UInt16BitsToHalf(*source);
    public static float AnyHalf(int words, int half) => (float)BitConverter.UInt16BitsToHalf((ushort)(words >> 16 * half));
    public static float AsSingle(int value) => BitConverter.Int32BitsToSingle(value);
    public static int LoadIntegers(int* source) => *source;
    public static int LoadSignedBytes(byte* source) => (sbyte)*source;
    public static int ShiftLeft(int value, int count) => value << count;
    public static int And(int value, int mask) => value & mask;
    public static int Or(int a, int b) => a | b;
    public static int Select(int mask, int a, int b) => (a & mask) | (b & ~mask);
    public static float ToSingle(int value) => value;
    public static float Unsigned(int value, int bits) => value & ((1 << bits) - 1);
    public static float Decoder(int bits) => 0;
    public static float Decode(int value, int bits, float decoder) => Code(value, bits);
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
