using FsCheck;
using FsCheck.Fluent;
using KvPareto.Engine.Cache;
using KvPareto.Testing;

namespace KvPareto.Engine.Tests.Cache;

public sealed class GroupCodecTests
{
    // What f32 adds to half a step: x/s and z·s of |z| up to 2^15 are rounded to 24 bits.
    private const double RoundingSteps = 1 / 256.0;
    private const double RelativeRounding = 1.2e-7; // 2^-23
    private const double FarTolerance = 1.0 / 32000;

    private static readonly int[] AllBits = [2, 4, 8];

    [Theory]
    [InlineData(2, 0f, 3f, 0x3C00, -2, new[] { 0f, 1, 2, 3 }, new[] { -2, -1, 0, 1 })]
    [InlineData(2, -1f, 0.5f, 0x3800, 0, new[] { -1f, -0.75f, -0.25f, 0.4f, 0.5f }, new[] { -2, -2, 0, 1, 1 })]
    [InlineData(4, -1.5f, 2.25f, 0x3400, -2, new[] { -1.5f, 0, 0.125f, 0.375f, 2.25f }, new[] { -8, -2, -2, 0, 7 })]
    [InlineData(4, 100f, 107.5f, 0x3800, -208, new[] { 100f, 103.75f, 107.5f, 50, 200 }, new[] { -8, 0, 7, -8, 7 })]
    [InlineData(8, -127.5f, 127.5f, 0x3C00, 0, new[] { -127.5f, -1.5f, 0.5f, 126.6f, 127.5f }, new[] { -128, -2, 0, 127, 127 })]
    [InlineData(8, -2f, 253f, 0x3C00, -126, new[] { -2f, 0, 253 }, new[] { -128, -126, 127 })]
    public void KnownValues_HandCalculated(int bits, float min, float max, int scaleBits, short zero, float[] values, int[] codes)
    {
        var meta = GroupCodec.Fit(min, max, bits);
        Assert.Equal(new GroupMeta((ushort)scaleBits, zero), meta);
        Assert.Equal(codes, values.Select(x => GroupCodec.Encode(x, meta, bits)));
        Assert.Equal(codes.Select(q => (q - zero) * meta.Scale), codes.Select(q => GroupCodec.Decode(q, meta)));
        Assert.All(codes, q => Assert.Equal(GroupCodec.Decode(q, meta), q * meta.Scale + meta.Offset));
    }

    [Fact]
    public void Decode_IsWithinHalfAStep() => ForAllGroups((group, bits) =>
    {
        var (min, max) = (group.Min(), group.Max());
        var meta = GroupCodec.Fit(min, max, bits);
        // An f16 that is rounded down does not reach the end of the range: what is left of it is clipped.
        var clipped = Math.Max(0, (double)max - min - ((1 << bits) - 1) * (double)meta.Scale);
        return meta.IsConstant || Array.TrueForAll(group, x =>
            Math.Abs((double)Recode(x, meta, bits) - x) <= meta.Scale * (0.5 + RoundingSteps) + Math.Abs(x) * RelativeRounding + clipped);
    });

    [Fact]
    public void Encode_IsMonotoneAndInRange() => ForAllGroups((group, bits) =>
    {
        var meta = GroupCodec.Fit(group.Min(), group.Max(), bits);
        var codes = group.Order().Select(x => GroupCodec.Encode(x, meta, bits)).ToArray();
        return codes.Zip(codes.Skip(1), (a, b) => a <= b).All(isOrdered => isOrdered)
            && codes.All(code => code >= GroupCodec.MinCode(bits) && code <= GroupCodec.MaxCode(bits));
    });

    [Fact]
    public void Fit_KeepsTheZeroPointFarFromItsLimits() => ForAllGroups((group, bits) =>
        GroupCodec.Fit(group.Min(), group.Max(), bits) is var meta && (meta.IsConstant || Math.Abs((int)meta.Zero) <= 32000 + 128 + 1));

    [Fact]
    public void Decode_StaysWithinItsShareOfX_WhereAGroupIsFarAndNarrow()
    {
        foreach (var bits in AllBits)
            for (var at = 1e-6f; at < 65504 * 8f; at *= 1.0137f)
                foreach (var sign in (int[])[-1, 1])
                {
                    // As narrow as needs a wider scale; no f16 is narrower than 2^-24.
                    var other = at * (1 + ((1 << bits) - 1) / 32000f * 0.999f);
                    var meta = GroupCodec.Fit(Math.Min(sign * at, sign * other), Math.Max(sign * at, sign * other), bits);
                    foreach (var x in (float[])[sign * at, sign * other, sign * (at + other) / 2])
                    {
                        var error = Math.Abs((double)Recode(x, meta, bits) - x);
                        Assert.True(error <= Math.Max(Math.Abs(x) * FarTolerance, Math.Pow(2, -24)), $"{x:R} at {bits} bits: {error:R}");
                    }
                }
    }

    [Fact]
    public void Decode_IsExact_WhereAllElementsAreEqual()
    {
        foreach (var bits in AllBits)
            foreach (var x in NastyGroups.Constant(1).Select(group => group[0]))
            {
                var meta = GroupCodec.Fit(x, x, bits);
                Assert.True(meta.IsConstant);
                Assert.Equal(x, Recode(x, meta, bits));
                Assert.Equal(x, GroupCodec.Encode(x, meta, bits) * meta.Scale + meta.Offset);
            }
    }

    [Fact]
    public void Decode_IsNaNThroughout_WhereAnEndIsNotFinite()
    {
        foreach (var bits in AllBits)
            foreach (var bad in NastyGroups.NotFinite)
                foreach (var meta in (GroupMeta[])[GroupCodec.Fit(bad, 1, bits), GroupCodec.Fit(-1, bad, bits),
                    GroupCodec.Fit(bad, bad, bits)])
                    foreach (var x in (float[])[-1, 0, 1, bad])
                    {
                        Assert.True(float.IsNaN(Recode(x, meta, bits)));
                        Assert.True(float.IsNaN(GroupCodec.Encode(x, meta, bits) * meta.Scale + meta.Offset));
                    }
    }

    [Fact]
    public void Decode_IsFinite_WhereXIs()
    {
        foreach (var bits in AllBits)
            foreach (var (min, max) in ((float, float)[])[(-float.MaxValue, float.MaxValue), (3e9f, 3.0001e9f), (-3.0001e38f, -3e38f),
                (0, float.Epsilon)])
            {
                var meta = GroupCodec.Fit(min, max, bits);
                foreach (var x in (float[])[min, max, 0])
                    Assert.True(float.IsFinite(Recode(x, meta, bits)), $"{x:R} of {min:R} to {max:R} at {bits} bits");
            }
    }

    [Fact]
    public void Load_ReadsWhatStoreWrote() => ForAllGroups((group, bits) =>
    {
        var random = new Random(group.Length);
        var codes = group.Select(_ => random.Next(GroupCodec.MinCode(bits), GroupCodec.MaxCode(bits) + 1)).ToArray();
        var packed = new byte[(group.Length * bits + 7) / 8];
        for (var i = 0; i < codes.Length; i++) GroupCodec.Store(packed, i, codes[i], bits);
        return codes.Select((code, i) => GroupCodec.Load(packed, i, bits) == code).All(isSame => isSame);
    });

    [Fact]
    public void Narrow_NeverWidensNorPassesTheOtherEnd() => ForAllGroups((group, _) =>
    {
        var (min, max) = (group.Min(), group.Max());
        return ((float[])[0.5f, 0.77f, 0.96f, 0.99f]).All(clip =>
        {
            var (low, high) = GroupCodec.Narrow(min, max, new(clip));
            var isOneSided = min >= 0 ? low == min : max > 0 || high == max;
            return min <= low && low <= high && high <= max && isOneSided;
        }) && GroupCodec.Narrow(min, max, GroupFit.Whole) == (min, max) && GroupCodec.Narrow(min, min, new(0.5f)) == (min, min);
    });

    [Theory]
    [InlineData(-4, 2, 0.75f, -3, 1.5f)] // SKVQ: min·c and max·c
    [InlineData(-1, 1, 0.5f, -0.5f, 0.5f)]
    [InlineData(4, 8, 0.75f, 4, 7)]
    [InlineData(-8, -4, 0.75f, -7, -4)]
    [InlineData(0, 8, 0.5f, 0, 4)]
    [InlineData(-8, 0, 0.5f, -4, 0)]
    public void Narrow_HandCalculated(float min, float max, float clip, float low, float high) =>
        Assert.Equal((low, high), GroupCodec.Narrow(min, max, new(clip)));

    private static float Recode(float x, GroupMeta meta, int bits) => GroupCodec.Decode(GroupCodec.Encode(x, meta, bits), meta);

    private static void ForAllGroups(Func<float[], int, bool> holds) =>
        Prop.ForAll(NastyGroups.Arbitrary, group => AllBits.All(bits => holds(group, bits)))
        .Check(Config.QuickThrowOnFailure.WithMaxTest(1000).WithReplay(11, 13).WithQuietOnSuccess(true));
}
