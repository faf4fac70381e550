using System.Buffers.Binary;
using KvPareto.Engine.Checkpoints.SafeTensors;
using KvPareto.Engine.Model;
using KvPareto.Testing;
using KvPareto.Text.Input;

namespace KvPareto.Engine.Tests.Checkpoints.SafeTensors;

public class SafeTensorsFileTests
{
    private const string Telling = "0123456789[]{}:,\"\\-e ";

    [Fact]
    public void Open_ReadsWhatTransformersWrote()
    {
        using var file = SafeTensorsFile.Open(TestData.Golden("models", "llama", "model.safetensors"));
        Assert.Equal(30, file.Tensors.Count);
        var embedding = file.Tensors["model.embed_tokens.weight"];
        Assert.Equal((TensorType.BF16, "[512, 96]", 512L * 96 * 2), (embedding.Type, embedding.ShapeText, embedding.ByteCount));
    }

    [Fact]
    public void Open_ReadsValues()
    {
        using var file = SafeTensorsFile.Open(TestData.Golden("models", "qwen3", "expected.safetensors"));
        Assert.Equal((TensorType.F32, "[150, 512]"), (file.Tensors["logits"].Type, file.Tensors["logits"].ShapeText));
        var ids = file.Tensors["input_ids"];
        var greedy = file.Tensors["greedy"];
        Assert.Equal(TensorType.I32, ids.Type);
        for (var i = 0; i < 64; i++)
        {
            var id = BinaryPrimitives.ReadInt32LittleEndian(ids.Bytes[(i * 4)..]);
            Assert.InRange(id, 0, 511);
            Assert.Equal(id, BinaryPrimitives.ReadInt32LittleEndian(greedy.Bytes[(i * 4)..]));
        }
    }

    [Fact]
    public void Open_TakesScalarsEmptyTensorsAndUnknownKeys()
    {
        using var folder = new ScratchFolder();
        var header = """
            {"__metadata__":{"format":"pt"},"empty":{"dtype":"F32","shape":[0,7],"data_offsets":[4,4],"note":[{"a":1}]},
             "scalar":{"data_offsets":[0,4],"shape":[],"dtype":"F32"},"f4":{"dtype":"F4","shape":[6],"data_offsets":[4,7]}}
            """;
        using var file = SafeTensorsFile.Open(folder.Write("a.safetensors", HostileSafeTensors.File(header, 7)));
        Assert.Equal((4L, 0L, 3L), (file.Tensors["scalar"].ByteCount, file.Tensors["empty"].ByteCount, file.Tensors["f4"].ByteCount));
    }

    [Fact]
    public void Data_IsRefusedAfterDispose()
    {
        var file = SafeTensorsFile.Open(TestData.Golden("models", "llama", "model.safetensors"));
        var tensor = file.Tensors["model.norm.weight"];
        Assert.False(tensor.Bytes.IsEmpty);
        file.Dispose();
        Assert.Throws<ObjectDisposedException>(() => tensor.Bytes.Length);
    }

    [Fact]
    public void Open_CallsATextOne() => Assert.EndsWith(
        ": is no safetensors file: it begins with '<!DOCTYP'", HostileSafeTensors.Refusal("<!DOCTYPE html><html></html>"u8.ToArray()),
        StringComparison.Ordinal);

    [Theory]
    [InlineData("""[]""", 0, "not a JSON object")]
    [InlineData("""{"a":""", 0, "not valid JSON")]
    [InlineData("""{} x""", 0, "not valid JSON")]
    [InlineData("""{"a":1}""", 0, "'a' is not described")]
    [InlineData("""{"__metadata__":{"a":1}}""", 0, "__metadata__")]
    [InlineData("""{"a":{"dtype":"F31","shape":[1],"data_offsets":[0,4]}}""", 4, "'a' has dtype 'F31'; allowed: BOOL")]
    [InlineData("""{"a":{"dtype":7,"shape":[1],"data_offsets":[0,4]}}""", 4, "'a' has a 'dtype' that is not a string")]
    [InlineData("""{"a":{"shape":[1],"data_offsets":[0,4]}}""", 4, "'a' lacks")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}}""", 4, "'a' lacks")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,4]}}""", 4, "'data_offsets' other than")]
    [InlineData("""{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}""", 4, "'shape' other than")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}}""", 4, "'shape' other than")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"shape":[1],"data_offsets":[0,4]}}""", 4, "'shape' twice")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}""", 4, "takes 8")]
    [InlineData("""{"a":{"dtype":"F4","shape":[3],"data_offsets":[0,2]}}""", 2, "takes no whole number, 1.5")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}""", 4, "data_offsets [4, 0]")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 4, "the file has 4 bytes of data")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4611686018427387904,4611686018427387904,4],"data_offsets":[0,4]}}""", 4, "overflows")]
    [InlineData("""{"a":{"dtype":"F32","shape":[9223372036854775807,2,0],"data_offsets":[0,0]}}""", 0, "overflows")]
    [InlineData("""{"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,4]}}""", 4, "'shape' other than")]
    [InlineData("""{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"a":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}}""", 8, "'a' is there twice")]
    [InlineData("""{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}}""", 6, "'b' begins at byte 2")]
    [InlineData("""{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[5,9]}}""", 9, "belong to no tensor")]
    [InlineData("""{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}""", 9, "describes 4 bytes")]
    [InlineData("""{"x\ny":{"dtype":"U8","shape":[4],"data_offsets":[0,3]}}""", 4, "'x?y'")]
    [InlineData("""{"\ud800":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}""", 4, "not valid JSON")]
    public void Open_RefusesLyingHeaders(string header, int dataLength, string expected) =>
        Assert.Contains(expected, HostileSafeTensors.Refusal(HostileSafeTensors.File(header, dataLength)), StringComparison.Ordinal);

    [Fact]
    public void Open_RefusesTooManyDimensionsAndDeepNesting()
    {
        var ones = string.Join(',', Enumerable.Repeat("1", 100_000));
        Open_RefusesLyingHeaders("{\"a\":{\"shape\":[" + ones + "]}}", 0, "up to 16");
        var deep = new string('[', 1_000_000);
        Open_RefusesLyingHeaders("{\"a\":{\"x\":" + deep, 0, "not valid JSON");
    }

    [Theory]
    [InlineData(0, "is empty")]
    [InlineData(7, "is 7 bytes")]
    [InlineData(8, "not valid JSON")]
    public void Open_RefusesShortFiles(int length, string expected) =>
        Assert.Contains(expected, HostileSafeTensors.Refusal(new byte[length]), StringComparison.Ordinal);

    [Theory]
    [InlineData(1UL)]
    [InlineData(100_000_001UL)]
    [InlineData((ulong)long.MaxValue)]
    [InlineData(ulong.MaxValue)]
    public void Open_RefusesHeaderLengthsBeyondTheFile(ulong length)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, length);
        Assert.Contains($"{length} bytes; allowed: up to 0", HostileSafeTensors.Refusal(bytes), StringComparison.Ordinal);
    }

    [Fact]
    public void Open_RefusesInvalidUtf8() =>
        Assert.EndsWith("not valid UTF-8", HostileSafeTensors.Refusal(HostileSafeTensors.File([0x7b, 0xff], 0)), StringComparison.Ordinal);

    [Fact]
    public void Open_RefusesFoldersAndMissingFiles()
    {
        using var folder = new ScratchFolder();
        var error = Assert.Throws<ConfigException>(() => SafeTensorsFile.Open(folder.Root));
        Assert.Contains("is a folder", error.Message, StringComparison.Ordinal);
        error = Assert.Throws<ConfigException>(() => SafeTensorsFile.Open(folder["a"]));
        Assert.Contains("no such file", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_TakesTensorsBeyond2GiB()
    {
        using var folder = new ScratchFolder();
        const long Length = (2L << 30) + 4096;
        var header = """{"a":{"dtype":"U8","shape":[2147487744],"data_offsets":[0,2147487744]}}""";
        var path = folder.Write("a.safetensors", HostileSafeTensors.File(header, 0));
        using (var sparse = new FileStream(path, FileMode.Open))
        {
            sparse.SetLength(sparse.Length + Length);
            sparse.Seek(-1, SeekOrigin.End);
            sparse.WriteByte(7);
        }
        using var file = SafeTensorsFile.Open(path);
        Assert.Equal(Length, file.Tensors["a"].ByteCount);
        var last = new byte[2];
        file.Tensors["a"].Read(Length - 2, last);
        Assert.Equal([0, 7], last);
        Assert.Throws<OverflowException>(() => file.Tensors["a"].Bytes.Length);
    }

    [Fact]
    public void Open_SurvivesDamagedFiles()
    {
        var valid = HostileSafeTensors.File("""
            {"__metadata__":{"format":"pt"},"model.embed_tokens.weight":{"dtype":"BF16","shape":[4,4],"data_offsets":[0,32]},
            "model.norm.weight":{"dtype":"F32","shape":[4],"data_offsets":[32,48]},"scalar":{"dtype":"I64","shape":[],"data_offsets":[48,56]},
            "tail":{"dtype":"U8","shape":[2,2,2],"data_offsets":[56,64]}}
            """, 64);
        using var folder = new ScratchFolder();
        var refused = SurviveDamage(valid, 20251, damaged =>
        {
            using var file = SafeTensorsFile.Open(folder.Write("model.safetensors", damaged));
            // What is accepted must lie in the mapping: an address beyond it would end the test run here.
            foreach (var tensor in file.Tensors.Values)
                if (tensor.ByteCount > 0) Assert.InRange(tensor.Bytes[0] + tensor.Bytes[^1], 0, 510);
        });
        Assert.InRange(refused, 1000, 2000);
    }

    [Fact]
    public void Parse_SurvivesDamagedHeaders()
    {
        var file = File.ReadAllBytes(TestData.Golden("models", "llama", "model.safetensors"));
        var headerLength = (int)BinaryPrimitives.ReadUInt64LittleEndian(file);
        var header = file[8..(8 + headerLength)];
        var dataLength = file.Length - 8 - headerLength;
        Assert.Equal(30, SafeTensorsHeader.Parse("a", header, dataLength).Count);
        var refused = SurviveDamage(header, 20252, damaged =>
        {
            foreach (var entry in SafeTensorsHeader.Parse("a", damaged, dataLength).Values)
                Assert.True(entry.Begin >= 0 && entry.Begin <= entry.End && entry.End <= dataLength);
        });
        Assert.InRange(refused, 1000, 2000);
    }

    private static int SurviveDamage(byte[] valid, int seed, Action<byte[]> open)
    {
        var random = new Random(seed);
        var refused = 0;
        for (var round = 0; round < 2000; round++)
        {
            try
            {
                open(Damage(valid, random));
            }
            catch (ConfigException error)
            {
                refused++;
                Assert.DoesNotContain('\n', error.Message);
            }
        }
        return refused;
    }

    private static byte[] Damage(byte[] valid, Random random)
    {
        if (random.Next(4) == 0) return valid[..random.Next(valid.Length)];
        var bytes = valid.ToArray();
        for (var flips = random.Next(1, 4); flips > 0; flips--)
        {
            var at = random.Next(Math.Min(bytes.Length, 4096));
            bytes[at] = random.Next(2) == 0 ? (byte)(bytes[at] ^ 1 << random.Next(8)) : (byte)Telling[random.Next(Telling.Length)];
        }
        return bytes;
    }
}
