using System.Runtime.Intrinsics;
using KvPareto.Cpu.Kernels;

namespace KvPareto.Cpu.Tests.Kernels;

/// <summary>Vectors against one lane, which is plain C#. Equal means equal numbers: zeros may differ in sign.</summary>
public sealed unsafe class LanesTests
{
    [Fact]
    public void Lanes8_AreOneLaneEightTimes()
    {
        Assert.SkipUnless(Lanes8.IsSupported, "no AVX2 with FMA here");
        LanesTwins<Lanes8, Vector256<float>, Vector256<int>>.Check();
    }

    [Fact]
    public void Lanes16_AreOneLaneSixteenTimes()
    {
        Assert.SkipUnless(Lanes16.IsSupported, "no AVX-512 here");
        LanesTwins<Lanes16, Vector512<float>, Vector512<int>>.Check();
    }

    [Fact]
    public void Lanes1_IsPlainArithmetic()
    {
        Assert.Equal([-2f, -1, 0, 1], Enumerable.Range(0, 4).Select(code => Lanes1.Code(code | 0x70, 2)));
        Assert.Equal(
            Enumerable.Range(-8, 16).Select(code => (float)code), Enumerable.Range(0, 16).Select(code => Lanes1.Code(code | 0x70, 4)));
        Assert.Equal(
            Enumerable.Range(-128, 256).Select(code => (float)code), Enumerable.Range(0, 256).Select(code => Lanes1.Code(code, 8)));
        for (ushort half = 0; half < 0x7C00; half++)
        {
            var (exponent, fraction) = (half >> 10, half & 0x3FF);
            var value = exponent == 0 ? MathF.ScaleB(fraction, -24) : MathF.ScaleB(fraction + 1024, exponent - 25);
            var negative = (ushort)(half | 0x8000);
            Assert.Equal((value, -value), (Lanes1.LoadHalf(&half), Lanes1.LoadHalf(&negative)));
        }
    }
}

/// <summary>The checks of one vector width.</summary>
internal static unsafe class LanesTwins<TLanes, TFloat, TInt>
    where TLanes : ILanes<TFloat, TInt>
    where TFloat : unmanaged
    where TInt : unmanaged
{
    private static int Width => TLanes.Width;

    public static void Check()
    {
        AssertHalves();
        AssertCodes();
        AssertIntegers();
        AssertArithmetic();
        AssertExponents();
        AssertOrder();
    }

    // All f16 patterns; LoadHalf promises finite ones only.
    private static void AssertHalves()
    {
        var source = stackalloc ushort[Width];
        var pairs = stackalloc int[Width];
        for (var first = 0; first <= ushort.MaxValue; first += Width)
        {
            for (var i = 0; i < Width; i++) source[i] = (ushort)(first + i);
            var (any, finite) = (Stored(TLanes.LoadAnyHalf(source)), Stored(TLanes.LoadHalf(source)));
            for (var i = 0; i < Width; i++) pairs[i] = source[i] << 16 | (ushort)~source[i];
            var words = TLanes.LoadIntegers(pairs);
            var (low, high, bits) = (Stored(TLanes.AnyHalf(words, 0)), Stored(TLanes.AnyHalf(words, 1)), Stored(TLanes.AsSingle(words)));
            for (var i = 0; i < Width; i++)
            {
                AssertBits(Lanes1.AnyHalf(pairs[i], 0), low[i]);
                AssertBits(any[i], high[i]);
                AssertBits(BitConverter.Int32BitsToSingle(pairs[i]), bits[i]);
                AssertBits(Lanes1.LoadAnyHalf(source + i), any[i]);
                if (float.IsFinite(any[i])) AssertBits(Lanes1.LoadHalf(source + i), finite[i]);
            }
        }
    }

    private static void AssertCodes()
    {
        var bytes = stackalloc byte[Width];
        for (var first = 0; first < 256; first += Width)
        {
            for (var i = 0; i < Width; i++) bytes[i] = (byte)(first + i);
            foreach (var bits in (int[])[2, 4, 5, 6, 8])
                for (var shift = 0; shift < (bits == 8 ? 1 : 8); shift++)
                {
                    var raw = TLanes.ShiftRight(TLanes.LoadBytes(bytes), shift);
                    var codes = Stored(TLanes.Code(raw, bits));
                    for (var i = 0; i < Width; i++) Assert.Equal(Lanes1.Code(Lanes1.ShiftRight(bytes[i], shift), bits), codes[i]);
                    if (bits is not (4 or 5)) continue;
                    var unsigned = Stored(TLanes.Unsigned(raw, bits));
                    for (var i = 0; i < Width; i++) Assert.Equal(Lanes1.Unsigned(Lanes1.ShiftRight(bytes[i], shift), bits), unsigned[i]);
                }
            foreach (var bits in (int[])[4, 8])
            {
                var words = TLanes.Or(TLanes.LoadBytes(bytes), TLanes.ShiftLeft(TLanes.LoadBytes(bytes), 8));
                var codes = Stored(TLanes.Decode(words, bits, TLanes.Decoder(bits)));
                for (var i = 0; i < Width; i++) Assert.Equal((bytes[i] & ((1 << bits) - 1)) - (1 << (bits - 1)), codes[i]);
            }
            var signed = Stored(TLanes.ToSingle(TLanes.LoadSignedBytes(bytes)));
            for (var i = 0; i < Width; i++) Assert.Equal((sbyte)bytes[i], signed[i]);
        }
    }

    private static void AssertIntegers()
    {
        var random = new Random(1);
        int* a = stackalloc int[Width], b = stackalloc int[Width];
        for (var i = 0; i < Width; i++) (a[i], b[i]) = (random.Next(int.MinValue, int.MaxValue), random.Next(int.MinValue, int.MaxValue));
        var (x, y) = (TLanes.LoadIntegers(a), TLanes.LoadIntegers(b));
        const int Mask = 0x0F0F3355;
        // Through bytes, which f32 holds exactly.
        foreach (var shift in (int[])[0, 8, 16, 24])
        {
            float[][] actual =
            [
                Low(TLanes.ShiftRight(x, shift)),
                Low(TLanes.ShiftRight(TLanes.ShiftLeft(x, 3), shift)),
                Low(TLanes.ShiftRight(TLanes.And(x, Mask), shift)),
                Low(TLanes.ShiftRight(TLanes.Or(x, y), shift)),
                Low(TLanes.ShiftRight(TLanes.Select(Mask, x, y), shift)),
            ];
            for (var i = 0; i < Width; i++)
            {
                int[] expected =
                    [a[i], Lanes1.ShiftLeft(a[i], 3), Lanes1.And(a[i], Mask), Lanes1.Or(a[i], b[i]), Lanes1.Select(Mask, a[i], b[i])];
                for (var op = 0; op < expected.Length; op++) Assert.Equal(Lanes1.ShiftRight(expected[op], shift) & 0xFF, actual[op][i]);
            }
        }
    }

    private static void AssertArithmetic()
    {
        var random = new Random(2);
        float* a = stackalloc float[Width], b = stackalloc float[Width], c = stackalloc float[Width];
        for (var round = 0; round < 100; round++)
        {
            for (var i = 0; i < Width; i++)
                (a[i], b[i], c[i]) = (random.NextSingle() - 0.5f, random.NextSingle() * 1e3f, random.NextSingle() - 0.5f);
            var (x, y, z) = (TLanes.Load(a), TLanes.Load(b), TLanes.Load(c));
            var (sum, product, fused) = (Stored(TLanes.Add(x, y)), Stored(TLanes.Multiply(x, y)), Stored(TLanes.MultiplyAdd(x, y, z)));
            var exact = 0.0;
            for (var i = 0; i < Width; i++)
            {
                AssertBits(Lanes1.Add(a[i], b[i]), sum[i]);
                AssertBits(Lanes1.Multiply(a[i], b[i]), product[i]);
                AssertBits(Lanes1.MultiplyAdd(a[i], b[i], c[i]), fused[i]);
                exact += a[i];
            }
            Assert.Equal(exact, TLanes.Sum(x), 1e-6 * Width);
        }
    }

    private static void AssertExponents()
    {
        float* a = stackalloc float[Width], b = stackalloc float[Width];
        for (var first = -126; first <= 127; first++)
        {
            for (var i = 0; i < Width; i++) (a[i], b[i]) = (Math.Min(127, first + i), first * 0.25f - i);
            var (x, y) = (TLanes.Load(a), TLanes.Load(b));
            var (power, rounded) = (Stored(TLanes.PowerOfTwo(x)), Stored(TLanes.Round(y)));
            var (max, zeroed) = (Stored(TLanes.Max(x, y)), Stored(TLanes.ZeroBelow(3, y, x)));
            for (var i = 0; i < Width; i++)
            {
                AssertBits(MathF.ScaleB(1, (int)a[i]), power[i]);
                AssertBits(MathF.Round(b[i]), rounded[i]);
                AssertBits(MathF.Max(a[i], b[i]), max[i]);
                AssertBits(b[i] < 3 ? 0 : a[i], zeroed[i]);
            }
            Assert.Equal(new ReadOnlySpan<float>(b, Width).ToArray().Max(), TLanes.Largest(y));
        }
    }

    private static void AssertOrder()
    {
        float* a = stackalloc float[Width], b = stackalloc float[Width];
        for (var i = 0; i < Width; i++) (a[i], b[i]) = (2 * i, 2 * i + 1);
        var (first, second) = TLanes.Interleave(TLanes.Load(a), TLanes.Load(b));
        Assert.Equal(Enumerable.Range(0, 2 * Width).Select(i => (float)i), Stored(first).Concat(Stored(second)));
        var half = Width / 2;
        Assert.Equal(Enumerable.Repeat(3f, half).Concat(Enumerable.Repeat(-4f, half)), Stored(TLanes.Halves(3, -4)));
        Assert.Equal(Enumerable.Repeat(5f, Width), Stored(TLanes.Broadcast(5)));
        Assert.All(Stored(TLanes.Zero), x => Assert.Equal(0, x));
    }

    private static float[] Low(TInt value) => Stored(TLanes.ToSingle(TLanes.And(value, 0xFF)));

    private static float[] Stored(TFloat value)
    {
        var result = new float[Width];
        fixed (float* p = result) TLanes.Store(value, p);
        return result;
    }

    private static void AssertBits(float expected, float actual)
    {
        if (BitConverter.SingleToInt32Bits(expected) != BitConverter.SingleToInt32Bits(actual)
            && !(float.IsNaN(expected) && float.IsNaN(actual)))
            Assert.Fail($"{actual:R}, not {expected:R}");
    }
}
