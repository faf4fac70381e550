using KvPareto.Cpu.Kernels;
using KvPareto.Testing;
using KvPareto.Engine.Cache;

namespace KvPareto.Cpu.Tests.Kernels;

public sealed unsafe class GroupEncoderTests
{
    private const int Guard = 32;
    private const byte Poison = 0xA5;
    private const int LongestGroup = 130;

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    [InlineData(8)]
    public void FitEncodePack_AreTheScalarCodec(int bits)
    {
        foreach (var clip in (float[])[0.5f, 0.77f, 0.96f, 1])
            for (var count = 1; count <= LongestGroup; count++)
                foreach (var group in NastyGroups.All(count, seed: count))
                {
                    var expected = ScalarFit(group, bits, clip);
                    fixed (float* source = group) Assert.Equal(expected, GroupEncoder.Fit(source, count, bits, new(clip)));
                    AssertCodes(group, expected, bits);
                }
    }

    // A scale that holds for good meets elements it was not made for. NaN is not among them: it never comes to a finite scale here.
    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    [InlineData(8)]
    public void Encode_ClampsAsTheScalarCodecDoes(int bits)
    {
        var metas = ((float, float)[])[(-1, 1), (0, 1e-7f), (99, 100), (-65504, 65504), (2, 2)];
        foreach (var (min, max) in metas)
            foreach (var group in NastyGroups.All(LongestGroup, seed: bits).Where(group => !group.Contains(float.NaN)))
                AssertCodes(group, GroupCodec.Fit(min, max, bits), bits);
    }

    [Fact]
    public void Range_IsNaN_WhereOneElementIs()
    {
        for (var count = 1; count <= LongestGroup; count++)
        {
            var group = new float[count];
            group[count * 3 / 4] = float.NaN;
            fixed (float* source = group) Assert.Equal((float.NaN, float.NaN), GroupEncoder.Range(source, count));
        }
    }

    private static GroupMeta ScalarFit(float[] group, int bits, float clip)
    {
        var (min, max) = (group[0], group[0]);
        foreach (var x in group) (min, max) = (MathF.Min(min, x), MathF.Max(max, x));
        (min, max) = GroupCodec.Narrow(min, max, new(clip));
        return GroupCodec.Fit(min, max, bits);
    }

    // Codes and packed bytes, and nothing beyond their end.
    private static void AssertCodes(float[] group, GroupMeta meta, int bits)
    {
        var (codes, packed) = (new byte[group.Length + Guard], new byte[group.Length + Guard]);
        codes.AsSpan().Fill(Poison);
        packed.AsSpan().Fill(Poison);
        var whole = group.Length * bits / 8;
        var expected = new byte[group.Length + 1];
        fixed (float* source = group) fixed (byte* c = codes, p = packed)
        {
            GroupEncoder.Encode(source, group.Length, meta, bits, c);
            GroupEncoder.Pack(c, whole * 8 / bits, bits, p);
        }
        for (var i = 0; i < group.Length; i++)
        {
            var code = GroupCodec.Encode(group[i], meta, bits);
            Assert.Equal(code - GroupCodec.MinCode(bits), codes[i]);
            if (i < whole * 8 / bits) GroupCodec.Store(expected, i, code, bits);
        }
        Assert.Equal(expected[..whole], packed[..whole]);
        Assert.False(codes.AsSpan(group.Length).ContainsAnyExcept(Poison), "codes beyond the end");
        Assert.False(packed.AsSpan(whole).ContainsAnyExcept(Poison), "packed bytes beyond the end");
    }
}
