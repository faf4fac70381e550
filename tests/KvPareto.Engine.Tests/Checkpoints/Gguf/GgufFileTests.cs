using System.Runtime.InteropServices;
using System.Security.Cryptography;
using KvPareto.Engine.Checkpoints.Gguf;
using KvPareto.Engine.Model;
using KvPareto.Engine.Seam;
using KvPareto.Engine.Weights;

namespace KvPareto.Engine.Tests.Checkpoints.Gguf;

public sealed unsafe class GgufFileTests
{
    public static TheoryData<string> Models => GgufGolden.Models;

    [Theory]
    [MemberData(nameof(Models))]
    public void Tensors_HaveTheirTypesShapesAndValues(string model)
    {
        using var file = GgufFile.Open(GgufGolden.PathOf(model + ".gguf"));
        var expected = GgufGolden.Tensors(model).ToArray();
        Assert.Equal(expected.Length, file.Tensors.Count);
        foreach (var line in expected)
        {
            var tensor = file.Tensors[line.GetProperty("name").GetString()!];
            Assert.Equal(line.GetProperty("type").GetString(), tensor.Type.SafeTensorsName());
            Assert.Equal(line.GetProperty("ne").EnumerateArray().Reverse().Select(length => length.GetInt64()), tensor.Shape);
            Assert.Equal(line.GetProperty("bytes").GetInt64(), tensor.ByteCount);
            Assert.Equal(line.GetProperty("sha256").GetString(), Digest(tensor.Data, tensor));
        }
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Checkpoint_HasHuggingFacesNamesAndRowOrder(string model)
    {
        using var checkpoint = GgufCheckpoint.Open(GgufGolden.PathOf(model + ".gguf"));
        var expected = GgufGolden.Tensors(model).Where(line => line.GetProperty("name").GetString() != "rope_freqs.weight").ToArray();
        Assert.Equal(expected.Length, checkpoint.Names.Count);
        foreach (var line in expected)
        {
            var permuted = line.GetProperty("permuted").GetBoolean();
            var ledger = new MemoryLedger();
            using (var tensor = checkpoint.Get(line.GetProperty("hf").GetString()!, ledger))
            {
                Assert.Equal(line.GetProperty(permuted ? "sha256_unpermuted" : "sha256").GetString(), Digest(tensor.Data, tensor));
                Assert.Equal(tensor.ByteCount, ledger.Live.Workspace);
                Assert.Equal(ledger.Live.Workspace, checkpoint.Stored(tensor.Name).WholeBytes);
            }
            Assert.Equal(0, ledger.Live.Total);
        }
    }

    [Fact]
    public void Tensors_CannotBeReadAfterDispose()
    {
        var file = GgufFile.Open(GgufGolden.PathOf("llama128-Q8_0.gguf"));
        var tensor = file.Tensors["output.weight"];
        file.Dispose();
        Assert.Throws<ObjectDisposedException>(() => (nint)tensor.Data);
    }

    private static string Digest(byte* data, HostTensor tensor)
    {
        var values = new float[tensor.Shape.Aggregate((product, length) => product * length)];
        FloatRows.Widen(data, tensor.Type.Format()!.Value, values);
        return Convert.ToHexStringLower(SHA256.HashData(MemoryMarshal.AsBytes(values.AsSpan())));
    }
}
