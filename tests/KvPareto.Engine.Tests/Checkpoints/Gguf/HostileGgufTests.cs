using System.Buffers.Binary;
using KvPareto.Engine.Checkpoints.Gguf;
using KvPareto.Engine.Checkpoints.Sources;
using KvPareto.Engine.Model;
using KvPareto.Engine.Seam;
using KvPareto.Testing;
using KvPareto.Text.Input;

namespace KvPareto.Engine.Tests.Checkpoints.Gguf;

/// <summary>Damaged and lying files: one line that names file and key or tensor, nothing else.</summary>
public sealed class HostileGgufTests : IDisposable
{
    private readonly ScratchFolder _folder = new();

    public static TheoryData<string, string> Lies => new()
    {
        { "magic", "is not a GGUF file" },
        { "empty", "is empty" },
        { "version", "GGUF version is 1; allowed: 2, 3" },
        { "big endian", "GGUF version is 50331648; allowed: 2, 3" },
        { "tensor count", "the tensor count counts 18446744073709551615" },
        { "key count", "the key count counts 1152921504606846976" },
        { "key length", "key 0 has a string of 9223372036854775807 bytes" },
        { "value type", "key 'a' has the value type 13; allowed: 0 to 12" },
        { "array of arrays", "key 'a' is an array of arrays" },
        { "array count", "key 'a' counts 4611686018427387904" },
        { "key twice", "key 'a' is there twice" },
        { "key text", "key 0 is not valid UTF-8" },
        { "alignment", "key 'general.alignment' is 24; allowed: a power of two" },
        { "alignment zero", "key 'general.alignment' is 0; allowed: a whole number from 1" },
        { "alignment type", "key 'general.alignment' is the string '32'; allowed: a whole number" },
        { "dimensions", "tensor 't' has 5 dimensions; allowed: 1 to 4" },
        { "no dimensions", "tensor 't' has 0 dimensions; allowed: 1 to 4" },
        { "zero length", "tensor 't' has a dimension of 0" },
        { "product", "tensor 't' has a dimension of 4294967296" },
        { "type", "tensor 't' has the ggml type IQ2_XXS; known: F32, F16, BF16, Q4_0" },
        { "row", "tensor 't' has rows of 48 elements; Q4_0 needs a multiple of 32" },
        { "unaligned", "tensor 't' has the offset 4; allowed: multiples of the alignment 32" },
        { "offset", "tensor 't' takes 128 bytes from offset 18446744073709551584 on" },
        { "past the end", "tensor 't' ends at byte 288 of the data; the file has 256" },
        { "overlap", "tensor 'u' begins at byte 96 of the data, inside another that ends at 128" },
        { "tensor twice", "tensor 't' is there twice" },
    };

    [Theory]
    [MemberData(nameof(Lies))]
    public void Lie_IsRefusedInOneLine(string lie, string message)
    {
        var path = _folder.Write("x.gguf", Bytes(lie));
        var error = Assert.Throws<ConfigException>(() => GgufFile.Open(path).Dispose());
        Assert.StartsWith($"{path}: {message}", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public void Version2_AndOtherAlignments_AreRead()
    {
        var builder = new GgufBuilder { Version = 2, Alignment = 64, Data = new byte[128] }.Add("general.alignment", 64)
            .AddTensor("t", 0, 64, 4, 2);
        using var file = GgufFile.Open(_folder.Write("x.gguf", builder.ToBytes()));
        Assert.Equal([2L, 4L], file.Tensors["t"].Shape);
        Assert.Equal(32, file.Tensors["t"].ByteCount);
    }

    /// <summary>Whatever a byte of the header becomes, opening ends in a model or in a ConfigException of one line.</summary>
    [Fact]
    public void MutatedHeaders_NeverCrash()
    {
        var original = File.ReadAllBytes(GgufGolden.PathOf("llama128-Q4_1.gguf"));
        const int Header = 12800; // up to the data
        Span<byte> word = stackalloc byte[8];
        var random = new Random(20);
        var (opened, refused) = (0, 0);
        for (var round = 0; round < 800; round++)
        {
            var bytes = original.ToArray();
            for (var change = random.Next(1, 4); change > 0; change--)
            {
                // Bytes, and numbers of the sizes that counts, lengths and offsets have.
                var at = random.Next(round % 2 == 0 ? 2048 : Header);
                if (random.Next(2) == 0) bytes[at] = (byte)random.Next(256);
                else
                {
                    BinaryPrimitives.WriteUInt64LittleEndian(word, ulong.MaxValue >> random.Next(64));
                    word[..random.Next(1, 9)].CopyTo(bytes.AsSpan(at));
                }
            }
            if (round % 10 == 0) bytes = bytes[..random.Next(bytes.Length)];
            if (Opens(_folder.Write("x.gguf", bytes))) opened++;
            else refused++;
        }
        Assert.True(opened > 20 && refused > 200, $"{opened} opened, {refused} refused");
    }

    public void Dispose() => _folder.Dispose();

    private static bool Opens(string path)
    {
        try
        {
            var source = ModelSource.Open(path);
            using var checkpoint = source.OpenCheckpoint();
            foreach (var shape in TransformerShapes.Of(checkpoint.Config).All.Take(64))
            {
                checkpoint.Header(shape.Name, shape.TensorShape);
                checkpoint.Get(shape.Name, new MemoryLedger()).Dispose();
            }
            source.LoadTokenizer();
            source.LoadChatTemplate();
            return true;
        }
        catch (ConfigException error)
        {
            Assert.DoesNotContain('\n', error.Message);
            Assert.Contains(path, error.Message, StringComparison.Ordinal);
            return false;
        }
    }

    private static byte[] Bytes(string lie)
    {
        var plain = new GgufBuilder { Data = new byte[256] };
        var max = BitConverter.GetBytes(ulong.MaxValue);
        return lie switch
        {
            "magic" => [.. "GGML"u8, .. new byte[100]],
            "empty" => [],
            "version" => new GgufBuilder { Version = 1 }.ToBytes(),
            "big endian" => new GgufBuilder { Version = 0x03000000 }.ToBytes(),
            "tensor count" => [.. plain.ToBytes()[..8], .. max, .. new byte[100]],
            "key count" => [.. plain.ToBytes()[..16], .. BitConverter.GetBytes(1UL << 60), .. new byte[100]],
            "key length" =>
                [.. plain.ToBytes()[..16], .. BitConverter.GetBytes(1UL), .. BitConverter.GetBytes((ulong)long.MaxValue), .. new byte[100]],
            "value type" => plain.AddRaw("a", 13, 0).ToBytes(),
            "array of arrays" => plain.AddRaw("a", 9, [9, 0, 0, 0, .. max]).ToBytes(),
            "array count" => plain.AddRaw("a", 9, [0, 0, 0, 0, .. BitConverter.GetBytes(1UL << 62)]).ToBytes(),
            "key twice" => plain.Add("a", 1).Add("a", "b").ToBytes(),
            "key text" =>
                [.. plain.ToBytes()[..16], .. BitConverter.GetBytes(1UL), .. BitConverter.GetBytes(2UL), 0xC3, 0x28, .. new byte[100]],
            "alignment" => plain.Add("general.alignment", 24).ToBytes(),
            "alignment zero" => plain.Add("general.alignment", 0).ToBytes(),
            "alignment type" => plain.Add("general.alignment", "32").ToBytes(),
            "dimensions" => plain.AddTensor("t", 0, 0, 1, 1, 1, 1, 1).ToBytes(),
            "no dimensions" => plain.AddTensor("t", 0, 0).ToBytes(),
            "zero length" => plain.AddTensor("t", 0, 0, 4, 0).ToBytes(),
            "product" => plain.AddTensor("t", 0, 0, 1UL << 32, 1UL << 32).ToBytes(),
            "type" => plain.AddTensor("t", 16, 0, 256).ToBytes(),
            "row" => plain.AddTensor("t", 2, 0, 48).ToBytes(),
            "unaligned" => plain.AddTensor("t", 0, 4, 4).ToBytes(),
            "offset" => plain.AddTensor("t", 0, ulong.MaxValue - 31, 32).ToBytes(),
            "past the end" => plain.AddTensor("t", 0, 32, 64).ToBytes(),
            "overlap" => plain.AddTensor("t", 0, 0, 32).AddTensor("u", 0, 96, 4).ToBytes(),
            _ => plain.AddTensor("t", 0, 0, 4).AddTensor("t", 0, 32, 4).ToBytes(),
        };
    }
}
