using System.Runtime.InteropServices;
using FsCheck;
using FsCheck.Fluent;
using KvPareto.Engine.Cache;
using KvPareto.Engine.Model;
using KvPareto.Engine.Rotary;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Settings;
using KvPareto.Engine.Weights;
using KvPareto.Text.Input;

namespace KvPareto.Engine.Tests.Model;

public unsafe class WeightCoderTests
{
    [Theory]
    [InlineData(4, 32, WeightFormat.F32)]
    [InlineData(8, 32, WeightFormat.F32)]
    [InlineData(4, 64, WeightFormat.F16)]
    [InlineData(8, 64, WeightFormat.F16)]
    [InlineData(4, 128, WeightFormat.BF16)]
    [InlineData(8, 128, WeightFormat.BF16)]
    [InlineData(4, 32, WeightFormat.BF16)]
    [InlineData(8, 32, WeightFormat.BF16)]
    [InlineData(4, 128, WeightFormat.F32)]
    [InlineData(8, 128, WeightFormat.F32)]
    public void Encode_IsTheScalarCodec(int bits, int group, WeightFormat format)
    {
        var random = new Random(4);
        var (rows, columns) = (37, 3 * 128);
        var values = new float[rows * columns];
        for (var i = 0; i < values.Length; i++)
        {
            var spread = MathF.Pow(10, i / group % 9 - 6);
            values[i] = (random.NextSingle() - 0.5f + i / group % 3) * spread;
        }
        AssertIsTheScalarCodec(values, rows, columns, bits, group, format);
    }

    [Theory]
    [InlineData(4)]
    [InlineData(8)]
    public void Encode_IsTheScalarCodecForAnyValues(int bits)
    {
        var ordinary = Gen.Choose(-1000, 1000).Select(n => n / 512f);
        var wild = Gen.Choose(int.MinValue, int.MaxValue).Select(BitConverter.Int32BitsToSingle)
            .Select(x => float.IsFinite(x) ? Math.Clamp(x, -65504, 65504) : 0);
        var few = Gen.Elements(0f, -0f, 1f, -1f, 0.5f, float.Epsilon, -65504, 65504);
        var constant = few.Select(x => Enumerable.Repeat(x, 64).ToArray());
        var groups = Gen.OneOf(Gen.ArrayOf(ordinary, 64), Gen.ArrayOf(wild, 64), Gen.ArrayOf(few, 64), constant);
        Prop.ForAll(Arb.From(Gen.ArrayOf(groups, 6)), rows =>
        {
            AssertIsTheScalarCodec([.. rows.SelectMany(row => row)], 3, 128, bits, 64, WeightFormat.F32);
            return true;
        }).Check(Config.QuickThrowOnFailure.WithReplay(11, 13).WithQuietOnSuccess(true));
    }

    [Theory]
    [InlineData(4, 0f)]
    [InlineData(4, -0.1f)]
    [InlineData(4, 3.25f)]
    [InlineData(8, -3.25f)]
    public void Encode_KeepsConstantGroupsExactly(int bits, float value)
    {
        var values = Enumerable.Repeat(value, 64).ToArray();
        using var coded = Encode(values, 1, 64, bits, 32, WeightFormat.F32, new MemoryLedger());
        var packed = new Span<byte>(coded.Data, 8 * bits);
        for (var i = 0; i < 64; i++) Assert.Equal(value, GroupCodec.Decode(GroupCodec.Load(packed, i, bits), coded.Groups[i / 32]));
    }

    [Theory]
    [InlineData(4)]
    [InlineData(8)]
    public void Encode_CountsItsMemoryAndGivesItBack(int bits)
    {
        var ledger = new MemoryLedger();
        var coded = Encode(new float[6 * 192], 6, 192, bits, 64, WeightFormat.F32, ledger);
        Assert.Equal(new MemoryUse(0, 0, 0, 6 * 192 * bits / 8 + 6 * 3 * GroupMeta.ByteSize), ledger.Live);
        coded.Dispose();
        Assert.Equal(0, ledger.Live.Total);
    }

    /// <summary>A group that backends do not know is stored as several with the same scale and zero point.</summary>
    [Theory]
    [InlineData(192, 64)]
    [InlineData(96, 32)]
    [InlineData(160, 32)]
    [InlineData(224, 32)]
    [InlineData(256, 256)]
    public void Encode_TakesGroupsOfAnyMultipleOf32(int group, int stored)
    {
        Assert.Equal(stored, WeightFormats.StoredGroup(group));
        var random = new Random(group);
        var values = Enumerable.Range(0, 3 * 2 * group).Select(_ => (float)(random.NextDouble() - 0.3)).ToArray();
        AssertIsTheScalarCodec(values, 3, 2 * group, 4, group, WeightFormat.F32);
        AssertIsTheScalarCodec(values, 3, 2 * group, 8, group, WeightFormat.F32);
    }

    [Theory]
    [InlineData(576, 1536, "w4a16-k16v16", "w4g64a16-k16v16")]
    [InlineData(96, 224, "w4a16-k16v16", "w4g32a16-k16v16")]
    [InlineData(512, 1536, "w4a16-k16v16", "w4a16-k16v16")]
    [InlineData(576, 1536, "w4g192a16-k16v16", "w4g192a16-k16v16")]
    [InlineData(576, 1000, "w16a16-e4-k16v16", "w16g64a16-e4-k16v16")]
    [InlineData(40, 40, "w4a16-k16v16", "w4a16-k16v16")]
    public void TheDefaultGroup_FallsToOneThatDivides_AndTheNameSaysSo(int hidden, int feedForward, string asked, string expected)
    {
        var config = new ModelConfig
        {
            Family = "llama",
            VocabularySize = 100,
            HiddenSize = hidden,
            FeedForwardSize = feedForward,
            LayerCount = 1,
            QueryHeads = 1,
            KvHeads = 1,
            HeadDim = hidden,
            NormEpsilon = 1e-5f,
            MaxPositions = 10,
            Rope = RopeFrequencies.Default(hidden, 10000),
            TiedEmbeddings = true,
            QkNorm = false,
            LayerWindows = [0],
        };
        Assert.Equal(expected, InferenceSetting.Parse(asked).For(config).Name);
    }

    [Theory]
    [InlineData(96, 64, "has 96 input channels, which weight group 64 does not divide; allowed: 32, 96")]
    [InlineData(576, 128, "has 576 input channels, which weight group 128 does not divide; allowed: 32, 64, 96, 192")]
    [InlineData(48, 32, "has 48 input channels, which weight group 32 does not divide; allowed: none")]
    public void Encode_NamesTheGroupsThatDivide(int columns, int group, string expected)
    {
        var values = new float[2 * columns];
        var error = Assert.Throws<ConfigException>(() => Encode(values, 2, columns, 4, group, WeightFormat.F32, new MemoryLedger()));
        Assert.Equal($"f.safetensors: tensor 'w' {expected}", error.Message.Replace(", only 16-bit weights", "", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    [InlineData(1e9f)]
    public void Encode_RefusesWhatCannotBeCoded(float value)
    {
        var ledger = new MemoryLedger();
        for (var at = 0; at < 64; at += 9)
        {
            var values = new float[4 * 64];
            values[2 * 64 + at] = value;
            var error = Assert.Throws<ConfigException>(() => Encode(values, 4, 64, 4, 32, WeightFormat.F32, ledger));
            Assert.StartsWith("f.safetensors: tensor 'w' holds a value", error.Message, StringComparison.Ordinal);
        }
        Assert.Equal(0, ledger.Live.Total);
    }

    private static void AssertIsTheScalarCodec(float[] values, int rows, int columns, int bits, int group, WeightFormat format)
    {
        using var coded = Encode(values, rows, columns, bits, group, format, new MemoryLedger());
        Assert.Equal(
            (WeightFormats.OfCodes(bits), rows, columns, WeightFormats.StoredGroup(group)),
                (coded.Format, coded.RowCount, coded.ColumnCount, coded.GroupSize));
        var expected = new byte[values.Length * bits / 8];
        var kept = Array.ConvertAll(values, value => Kept(value, format));
        for (var g = 0; g < values.Length / group; g++)
        {
            var elements = kept.AsSpan(g * group, group);
            var (min, max) = (elements[0], elements[0]);
            foreach (var x in elements) (min, max) = (x < min ? x : min, x > max ? x : max);
            var meta = GroupCodec.Fit(min, max, bits);
            for (var part = 0; part < group / coded.GroupSize; part++)
                Assert.Equal(meta, coded.Groups[g * (group / coded.GroupSize) + part]);
            for (var i = 0; i < group; i++) GroupCodec.Store(expected, g * group + i, GroupCodec.Encode(elements[i], meta, bits), bits);
        }
        Assert.Equal(expected, new Span<byte>(coded.Data, expected.Length).ToArray());
    }

    private static HostWeight Encode(float[] values, int rows, int columns, int bits, int group, WeightFormat format, MemoryLedger ledger)
    {
        var bytes = format switch
        {
            WeightFormat.F32 => MemoryMarshal.AsBytes(values.AsSpan()).ToArray(),
            WeightFormat.F16 => MemoryMarshal.AsBytes(Array.ConvertAll(values, x => (Half)x).AsSpan()).ToArray(),
            _ => MemoryMarshal.AsBytes(Array.ConvertAll(values, TruncateToBFloat16).AsSpan()).ToArray(),
        };
        fixed (byte* data = bytes)
            return WeightCoder.Encode(new HostWeight("w", format, rows, columns, data), "f.safetensors", bits, group, ledger);
    }

    private static ushort TruncateToBFloat16(float value) => (ushort)(BitConverter.SingleToUInt32Bits(value) >> 16);

    private static float Kept(float value, WeightFormat format) => format switch
    {
        WeightFormat.F16 => (float)(Half)value,
        WeightFormat.BF16 => BitConverter.UInt32BitsToSingle((uint)TruncateToBFloat16(value) << 16),
        _ => value,
    };
}
